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

    private static ReadOnlySpan<byte> None => [0x80];

    /// <summary>Where grants with a sub-path let the author write, ascending by grant; mostly none.</summary>
    public IReadOnlyList<Opening> Openings { get; init; } = [];

    /// <summary>Operations of other parts, ascending by envelope and part; mostly none.</summary>
    public IReadOnlyList<Forward> Forwards { get; init; } = [];

    /// <summary>Seals this content as part <paramref name="index"/> and returns the sealed bytes and the root over the operations.</summary>
    internal (byte[] Sealed, Bytes32 OpsRoot) Seal(IEntropy entropy, SecretKey contentKey, Bytes32 core, int index)
    {
        var position = Position(core, index);
        using var key = Hashing.Derive(Label.Part, contentKey.Bytes, position);
        var padded = Padding.Pad(Encode(), Padding.PaddedLength);
        return (Aead.Seal(entropy, key, padded, Label.PartAd.Prefix(position)), OperationTree.Root(key, Operations));
    }

    /// <summary>
    /// Steps 11 to 13 of the receiver: opens a part that is there under the epoch's content key, which must match its commitment. The reason on
    /// failure is the same for every reader.
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
        if (!TryDecode(plain, out var decoded, out _)) return false;
        if (OperationTree.Root(key, decoded.Operations) != envelope.Header.Parts[index].OpsRoot) return false;
        content = decoded;
        return true;
    }

    /// <summary>Some operations of this content, as what was opened from a part, for somebody who cannot open that (envelope.md §4).</summary>
    /// <param name="envelope">The part's envelope.</param>
    /// <param name="index">The part.</param>
    /// <param name="contentKey">Its epoch's content key.</param>
    /// <param name="indices">Which operations, ascending, at least one.</param>
    public Forward Forward(Envelope envelope, int index, SecretKey contentKey, IReadOnlyList<int> indices)
    {
        using var key = Hashing.Derive(Label.Part, contentKey.Bytes, Position(envelope.Header.CoreHash(), index));
        var (salts, hashes) = OperationTree.Prove(key, Operations, indices);
        ForwardedOperation[] operations = [.. indices.Select((operation, i) => new ForwardedOperation(operation, salts[i], Operations[operation]))];
        return new(envelope.Id, index, Schema, Operations.Count, operations, hashes);
    }

    /// <summary>Reads a part's plaintext; never throws for any input.</summary>
    internal static bool TryDecode(ReadOnlyMemory<byte> plain, [NotNullWhen(true)] out PartContent? content, out DecodeError error) =>
        Canonical.TryDecode(plain, Limits.EnvelopeBytes, Read, out content, out error);

    // By hand: the operations are canonical already, and the library would read each of them again.
    internal byte[] Encode()
    {
        var count = Canonical.ArrayHeader(Operations.Count);
        var openings = Openings.Count == 0 ? None : Canonical.Encode(writer => writer.Array(Openings, opening => opening.Write(writer)));
        var forwards = Forwards.Count == 0 ? None : Canonical.Encode(writer => writer.Array(Forwards, forward => forward.Write(writer)));
        var length = SchemaHead.Length + Bytes32.Size + count.Length + openings.Length + forwards.Length;
        foreach (var operation in Operations) length += operation.Length;
        var bytes = new byte[length];
        SchemaHead.CopyTo(bytes);
        Schema.Value.CopyTo(bytes.AsSpan(SchemaHead.Length));
        var rest = Append(bytes.AsSpan(SchemaHead.Length + Bytes32.Size), count);
        foreach (var operation in Operations) rest = Append(rest, operation.Span);
        Append(Append(rest, openings), forwards);
        return bytes;
    }

    private static Span<byte> Append(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return to[bytes.Length..];
    }

    private static PartContent Read(CanonicalReader reader)
    {
        reader.BeginArray(4);
        var content = new PartContent(reader.Id<SchemaHash>(), reader.Array(Limits.Operations, reader.Raw))
        {
            Openings = reader.Array(Limits.Openings, () => Opening.Read(reader)),
            Forwards = reader.Array(Limits.Forwards, () => Sealing.Forward.Read(reader)),
        };
        reader.EndArray();
        CanonicalReader.RequireAscending(content.Openings, "openings");
        CanonicalReader.RequireAscending(content.Forwards, "forwards");
        CanonicalReader.Require(content.Forwards.Sum(forward => forward.Operations.Count) <= Limits.Operations, "too many forwarded operations", Reason.TooLarge);
        return content;
    }

    private static byte[] Position(Bytes32 core, int index)
    {
        var position = new byte[Bytes32.Size + 2];
        core.CopyTo(position);
        BinaryPrimitives.WriteUInt16BigEndian(position.AsSpan(Bytes32.Size), (ushort)index);
        return position;
    }
}
