using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// What an account gives to its contacts, sealed: whoever presents it to the account's inbox is no stranger there (docs/protocol/sync.md §4). Servers keep its
/// hash only. An account changes it to shut somebody out.
/// </summary>
public sealed class DeliveryToken : IEquatable<DeliveryToken>
{
    /// <summary>Bytes of a token.</summary>
    public const int Size = 16;

    /// <summary>The type of the message that gives a token to a contact (docs/protocol/account.md §6).</summary>
    public const int MessageType = 3;

    private readonly byte[] _bytes;

    internal DeliveryToken(byte[] bytes) => _bytes = bytes;

    /// <summary>The token as it travels.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary><c>H_delivery-token</c> of the token.</summary>
    public Bytes32 Hash => HashOf(_bytes);

    /// <summary>A new token.</summary>
    public static DeliveryToken Generate(IEntropy entropy) => new(entropy.Bytes(Size));

    /// <summary>The hash of what somebody presents as a token, of whatever length.</summary>
    public static Bytes32 HashOf(ReadOnlySpan<byte> presented) => Hashing.Hash(Label.DeliveryToken, presented);

    /// <summary>Reads a token; false if the bytes have another length.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DeliveryToken? token)
    {
        token = bytes.Length == Size ? new(bytes.ToArray()) : null;
        return token is not null;
    }

    /// <summary>The body of a message of <see cref="MessageType"/>: <c>CBOR [token]</c>.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(1);
        writer.Bytes(_bytes);
        writer.EndArray();
    });

    /// <summary>Decodes the body of a message of <see cref="MessageType"/>.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> body, [NotNullWhen(true)] out DeliveryToken? token, out DecodeError error) =>
        Canonical.TryDecode(body, Limits.MessageBytes, Read, out token, out error);

    /// <inheritdoc />
    public bool Equals(DeliveryToken? other) => other is not null && Hashing.FixedTimeEquals(Hash, other.Hash);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as DeliveryToken);

    /// <inheritdoc />
    public override int GetHashCode() => Hash.GetHashCode();

    /// <summary>Never the token.</summary>
    public override string ToString() => "a delivery token";

    private static DeliveryToken Read(CanonicalReader reader)
    {
        reader.BeginArray(1);
        var token = new DeliveryToken(reader.FixedBytes(Size));
        reader.EndArray();
        return token;
    }
}
