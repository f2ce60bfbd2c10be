using CloudPeer.TestKit;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Golden;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>Every decoder of sealed things against random and changed bytes: nothing throws, and what is accepted encodes to itself.</summary>
public sealed class DecoderFuzz
{
    private const int Count = 100_000;

    [Fact]
    public void Envelopes_survive_hostile_bytes() =>
        Fuzz.Decode<Envelope>(20, Count, [.. Frozen.Envelopes, .. Frozen.Envelopes.Select(Header)], Envelope.TryDecode, envelope => envelope.Bytes.ToArray());

    [Fact]
    public void Headers_survive_hostile_bytes() =>
        Fuzz.Decode<EnvelopeHeader>(21, Count, [.. Frozen.Envelopes.Select(Header)], EnvelopeHeader.TryDecode, header => header.Encode());

    [Fact]
    public void Cards_survive_hostile_bytes()
    {
        var good = Frozen.Bytes("account-a-card");
        var entropy = new SeededEntropy(22);
        for (var i = 0; i < Count; i++)
        {
            var bytes = Fuzz.Mutate(entropy, good);
            if (AccountCard.TryDecode(bytes, out _, out _)) Assert.Equal(good, bytes);
        }
    }

    [Fact]
    public void Messages_survive_hostile_bytes() =>
        Fuzz.Decode<SealedMessage>(23, Count, [Frozen.Bytes("message")], SealedMessage.TryDecode, message => message.Bytes.ToArray());

    [Fact]
    public void Invitations_survive_hostile_bytes() =>
        Fuzz.Decode<Invitation>(24, Count, [Frozen.Bytes("invitation")], Invitation.TryDecode, invitation => invitation.Encode());

    [Fact]
    public void Paths_survive_hostile_bytes()
    {
        var path = StoragePath.Of([
            Segment.Of(new Core.Ids.FieldId(7)), Segment.Of(true), Segment.Of(5UL), Segment.Of(-5L), Segment.Of("ключ"), Segment.Of([1, 2, 3]), Segment.Of(new Core.Ids.Uid(9)),
        ]);
        Fuzz.Decode<StoragePath>(
            25, Count, [path.Bytes.ToArray()],
            (ReadOnlyMemory<byte> bytes, out StoragePath? decoded, out Core.Encoding.DecodeError error) => StoragePath.TryDecode(bytes.Span, out decoded, out error),
            decoded => decoded.Bytes.ToArray());
    }

    [Fact]
    public void Opened_messages_and_stored_keys_survive_hostile_bytes()
    {
        var entropy = new SeededEntropy(26);
        var keys = Frozen.Bytes("account-b-keys");
        Assert.True(AccountKeys.TryDecode(keys, out var own));
        using (own)
        {
            Assert.True(SealedMessage.TryDecode(Frozen.Bytes("message"), out var good, out _) && good.TryOpen(own!, out var content) && content.Type == Invitation.MessageType);
            for (var i = 0; i < 2_000; i++)
            {
                if (SealedMessage.TryDecode(Fuzz.Mutate(entropy, Frozen.Bytes("message")), out var message, out _)) Assert.False(message.TryOpen(own!, out _) && message.Id != good.Id);
                if (AccountKeys.TryDecode(Fuzz.Mutate(entropy, keys), out var changed)) changed!.Dispose();
            }
        }
    }

    private static byte[] Header(byte[] envelope) =>
        Envelope.TryDecode(envelope, out var decoded, out _) ? decoded.HeaderBytes.ToArray() : throw new InvalidOperationException("the frozen bytes do not decode");
}
