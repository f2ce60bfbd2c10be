using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>One operation of another part, with the salt that its leaf has there.</summary>
/// <param name="Index">Its place among the operations of that part, from 0.</param>
/// <param name="Salt">The leaf's salt.</param>
/// <param name="Bytes">The operation's canonical bytes.</param>
public sealed record ForwardedOperation(int Index, Salt Salt, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Equal in every field.</summary>
    public bool Equals(ForwardedOperation? other) =>
        other is not null && Index == other.Index && Salt == other.Salt && Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Index, Salt);
}

/// <summary>
/// Single operations of a part, provable to somebody who cannot open it (docs/protocol/envelope.md §4): <see cref="OperationTree.TryRoot"/> gives the
/// root that the part's header must name. Ordered by envelope and part.
/// </summary>
/// <param name="Envelope">The envelope that they come from.</param>
/// <param name="Part">The index of the part.</param>
/// <param name="Schema">The schema version that the part named, by the forwarder's word.</param>
/// <param name="Count">Operations of the part.</param>
/// <param name="Operations">Those that are forwarded, ascending by index, at least one.</param>
/// <param name="Hashes">The hashes of the maximal subtrees without one of them, from left to right.</param>
public sealed record Forward(
    EnvelopeId Envelope, int Part, SchemaHash Schema, int Count, IReadOnlyList<ForwardedOperation> Operations, IReadOnlyList<Bytes32> Hashes)
    : IComparable<Forward>
{
    /// <summary>Compares envelopes and parts only.</summary>
    public int CompareTo(Forward? other)
    {
        if (other is null) return 1;
        var order = Envelope.CompareTo(other.Envelope);
        return order == 0 ? Part.CompareTo(other.Part) : order;
    }

    /// <summary>Equal in every field and item.</summary>
    public bool Equals(Forward? other) =>
        CompareTo(other) == 0 && Schema == other!.Schema && Count == other.Count && Operations.SequenceEqual(other.Operations) && Hashes.SequenceEqual(other.Hashes);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Envelope, Part, Count, Operations.Count);

    internal void Write(CanonicalWriter writer)
    {
        writer.BeginArray(6);
        writer.Id(Envelope);
        writer.UInt((ulong)Part);
        writer.Id(Schema);
        writer.UInt((ulong)Count);
        writer.Array(Operations, operation =>
        {
            writer.BeginArray(3);
            writer.UInt((ulong)operation.Index);
            writer.Salt(operation.Salt);
            writer.Raw(operation.Bytes.Span);
            writer.EndArray();
        });
        writer.Array(Hashes, writer.Bytes32);
        writer.EndArray();
    }

    internal static Forward Read(CanonicalReader reader)
    {
        reader.BeginArray(6);
        var forward = new Forward(
            reader.Id<EnvelopeId>(), reader.SmallInt(Limits.Parts - 1), reader.Id<SchemaHash>(), reader.SmallInt(Limits.Operations),
            reader.Array(Limits.Operations, () => ReadOperation(reader)), reader.Array(Limits.Operations, reader.Bytes32));
        reader.EndArray();
        CanonicalReader.Require(forward.Operations.Count > 0, "a forward has operations");
        CanonicalReader.RequireAscending([.. forward.Operations.Select(operation => operation.Index)], "forwarded operations");
        CanonicalReader.Require(forward.Operations[^1].Index < forward.Count, "a forwarded operation's index is below the count");
        return forward;
    }

    private static ForwardedOperation ReadOperation(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var operation = new ForwardedOperation(reader.SmallInt(Limits.Operations - 1), reader.Salt(), reader.Raw());
        reader.EndArray();
        return operation;
    }
}
