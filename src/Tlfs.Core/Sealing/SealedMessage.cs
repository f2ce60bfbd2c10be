using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>What an inbox message says once opened; its sender is proven.</summary>
/// <param name="Type">1 for an invitation.</param>
/// <param name="From">The sender's card.</param>
/// <param name="Micros">The sender's clock, microseconds since 1970.</param>
/// <param name="Body">The content, by type.</param>
public sealed record MessageContent(int Type, AccountCard From, ulong Micros, ReadOnlyMemory<byte> Body);

/// <summary>
/// A message sealed to an account (docs/protocol/account.md §3). Servers see the recipient and a padded length.
/// </summary>
public sealed class SealedMessage
{
    private const ulong Version = 1;
    private const ulong Suite = 1;
    private const int NonceSize = 16;
    private static readonly int[] Lengths = [512, 1_024, 2_048, 4_096, 16_384];

    private readonly uint _generation;
    private readonly HpkeMessage _message;

    private SealedMessage(AccountId to, uint generation, HpkeMessage message, ReadOnlyMemory<byte> bytes)
    {
        To = to;
        _generation = generation;
        _message = message;
        Bytes = bytes;
    }

    /// <summary>The recipient.</summary>
    public AccountId To { get; }

    /// <summary>The message as it travels.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary><c>H_inbox</c> of the bytes.</summary>
    public MessageId Id => new(Hashing.Hash(Label.Inbox, Bytes.Span));

    /// <summary>Signs and seals a message.</summary>
    public static SealedMessage Seal(IEntropy entropy, AccountKeys from, AccountCard to, int type, ulong micros, ReadOnlyMemory<byte> body)
    {
        using var ephemeral = KemKey.Generate(entropy);
        var nonce = entropy.Bytes(NonceSize);
        var content = Canonical.Encode(writer =>
        {
            writer.BeginArray(9);
            writer.UInt((ulong)type);
            writer.Id(from.Card.Account);
            writer.Id(from.Device.Public);
            writer.Bytes(from.Card.Bytes.Span);
            writer.Id(to.Account);
            writer.UInt(to.KemGeneration);
            writer.Bytes(nonce);
            writer.UInt(micros);
            writer.Bytes(body.Span);
            writer.EndArray();
        });
        var signature = from.Device.Sign(Label.InboxSig, Hash(to.Account, to.KemGeneration, ephemeral.Public, content));
        var signed = Canonical.Encode(writer =>
        {
            writer.BeginArray(2);
            writer.Bytes(content);
            writer.Bytes(signature);
            writer.EndArray();
        });
        if (PaddedLength(4 + signed.Length) == 0) throw new TlfsException(Reason.TooLarge, $"a message has at most {Lengths[^1]} bytes; shorten the note");
        var message = Hpke.Seal(ephemeral, to.KemPublic, Info(to.Account, to.KemGeneration), default, Padding.Pad(signed, PaddedLength));
        return new(to.Account, to.KemGeneration, message, Encode(to.Account, to.KemGeneration, message));
    }

    /// <summary>Decodes the outside of a message.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out SealedMessage? message, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.MessageBytes, reader => Read(reader, bytes), out message, out error);

    /// <summary>Opens a message to this account and checks who sent it; false with <see cref="Reason.BadMessage"/>'s meaning otherwise.</summary>
    public bool TryOpen(AccountKeys recipient, [NotNullWhen(true)] out MessageContent? content)
    {
        content = null;
        if (To != recipient.Card.Account || _generation != recipient.Card.KemGeneration) return false;
        if (!Hpke.TryOpen(recipient.Kem, _message, Info(To, _generation), out var padded)) return false;
        using (padded)
        {
            if (!Padding.TryUnpad(padded.Bytes.ToArray(), PaddedLength, out var signed)) return false;
            if (!Canonical.TryDecode(signed, Limits.MessageBytes, ReadSigned, out var pair, out _)) return false;
            return Canonical.TryDecode(pair.Content, Limits.MessageBytes, ReadContent, out content, out _)
                && SigningKey.Verify(content!.From.Device, Label.InboxSig, Hash(To, _generation, _message.Encapsulation, pair.Content), pair.Signature);
        }
    }

    private static byte[] Encode(AccountId to, uint generation, HpkeMessage message) => Canonical.Encode(writer =>
    {
        writer.BeginArray(6);
        writer.UInt(Version);
        writer.UInt(Suite);
        writer.Id(to);
        writer.UInt(generation);
        writer.Bytes32(message.Encapsulation);
        writer.Bytes(message.Ciphertext);
        writer.EndArray();
    });

    private static SealedMessage Read(CanonicalReader reader, ReadOnlyMemory<byte> bytes)
    {
        reader.BeginArray(6);
        CanonicalReader.Require(reader.UInt() == Version && reader.UInt() == Suite, "unknown version or suite of a message", Reason.Unsupported);
        var message = new SealedMessage(
            reader.Id<AccountId>(), (uint)reader.UInt(uint.MaxValue), new(reader.Bytes32(), reader.Bytes(Limits.MessageBytes)), bytes);
        reader.EndArray();
        return message;
    }

    private static (byte[] Content, byte[] Signature) ReadSigned(CanonicalReader reader)
    {
        reader.BeginArray(2);
        var pair = (reader.Bytes(Limits.MessageBytes), reader.FixedBytes(SigningKey.SignatureSize));
        reader.EndArray();
        return pair;
    }

    private MessageContent ReadContent(CanonicalReader reader)
    {
        reader.BeginArray(9);
        var type = reader.SmallInt(255);
        var from = reader.Id<AccountId>();
        var device = reader.Id<PeerId>();
        var proven = AccountCard.TryDecode(reader.Bytes(Limits.CardBytes), out var card, out _) && card.Account == from && card.Device == device;
        CanonicalReader.Require(proven, "the card does not prove the sender");
        var meant = reader.Id<AccountId>() == To & reader.UInt() == _generation;
        CanonicalReader.Require(meant, "the message is for somebody else");
        reader.FixedBytes(NonceSize);
        var content = new MessageContent(type, card!, reader.UInt(), reader.Bytes(Limits.MessageBytes));
        reader.EndArray();
        return content;
    }

    private static Bytes32 Hash(AccountId to, uint generation, Bytes32 encapsulation, byte[] content)
    {
        byte[] context = [.. to.Value.ToArray(), .. Number(generation), .. encapsulation.ToArray()];
        return Hashing.Hash(Label.Inbox, context, content);
    }

    private static byte[] Info(AccountId to, uint generation) => Label.InboxInfo.Prefix(to.Value.ToArray(), Number(generation));

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    // 0 when no length is long enough, which no padded message has.
    private static int PaddedLength(int length) => Array.Find(Lengths, padded => length <= padded);
}
