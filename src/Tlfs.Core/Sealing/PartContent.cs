using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>The plaintext of a part: encoded operations and the schema version they follow (docs/protocol/envelope.md §2).</summary>
/// <param name="Schema">The schema version the author used.</param>
/// <param name="Operations">Each operation's canonical bytes.</param>
public sealed record PartContent(SchemaHash Schema, IReadOnlyList<ReadOnlyMemory<byte>> Operations)
{
    // An array of four; a byte string of 32.
    private static ReadOnlySpan<byte> SchemaHead => [0x84, 0x58, Bytes32.Size];

    private static ReadOnlySpan<byte> NoMore => [0x80, 0x80];

    /// <summary>Seals this content as part <paramref name="index"/> and returns the sealed bytes and the root over the operations.</summary>
    internal (byte[] Sealed, Bytes32 OpsRoot) Seal(IEntropy entropy, SecretKey contentKey, Bytes32 core, int index)
    {
        var position = Position(core, index);
        using var key = Hashing.Derive(Label.Part, contentKey.Bytes, position);
        var padded = Padding.Pad(Encode(), Padding.PaddedLength);
        return (Aead.Seal(entropy, key, padded, Label.PartAd.Prefix(position)), OperationTree.Root(key, Operations));
    }

    /// <summary>
    /// Steps 11 to 13 of the receiver: opens a part under the epoch's content key, which must match its commitment. The reason on failure is
    /// the same for every reader.
    /// </summary>
    public static bool TryOpen(Envelope envelope, int index, SecretKey contentKey, [NotNullWhen(true)] out PartContent? content, out Reason reason)
    {
        content = null;
        reason = Reason.Unsealable;
        var position = Position(envelope.Header.CoreHash(), index);
        using var key = Hashing.Derive(Label.Part, contentKey.Bytes, position);
        if (!Aead.TryOpen(key, envelope.Part(index).Span, Label.PartAd.Prefix(position), out var padded)) return false;
        reason = Reason.BadPadding;
        if (!Padding.TryUnpad(padded, Padding.PaddedLength, out var plain)) return false;
        reason = Reason.BadOperations;
        if (!Canonical.TryDecode(plain, Limits.EnvelopeBytes, Read, out var decoded, out _)) return false;
        if (OperationTree.Root(key, decoded.Operations) != envelope.Header.Parts[index].OpsRoot) return false;
        content = decoded;
        return true;
    }

    // By hand: the operations are canonical already, and the library would read each of them again. The last two arrays are empty.
    private byte[] Encode()
    {
        var count = Canonical.ArrayHeader(Operations.Count);
        var bytes = new byte[SchemaHead.Length + Bytes32.Size + count.Length + Operations.Sum(operation => operation.Length) + NoMore.Length];
        SchemaHead.CopyTo(bytes);
        Schema.Value.CopyTo(bytes.AsSpan(SchemaHead.Length));
        var at = SchemaHead.Length + Bytes32.Size;
        count.CopyTo(bytes, at);
        at += count.Length;
        foreach (var operation in Operations)
        {
            operation.Span.CopyTo(bytes.AsSpan(at));
            at += operation.Length;
        }

        NoMore.CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private static PartContent Read(CanonicalReader reader)
    {
        reader.BeginArray(4);
        var schema = reader.Id<SchemaHash>();
        var operations = reader.Array(Limits.Operations, reader.Raw);
        reader.BeginArray(0);
        reader.EndArray();
        reader.BeginArray(0);
        reader.EndArray();
        reader.EndArray();
        return new(schema, operations);
    }

    private static byte[] Position(Bytes32 core, int index)
    {
        var position = new byte[Bytes32.Size + 2];
        core.CopyTo(position);
        BinaryPrimitives.WriteUInt16BigEndian(position.AsSpan(Bytes32.Size), (ushort)index);
        return position;
    }
}
