using System.Buffers.Binary;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>The first eight bytes of a document's id: enough to wake who waits for it. Two documents that share them wake each other, in vain.</summary>
/// <param name="Value">The bytes as a big-endian number.</param>
public readonly record struct DocPrefix(ulong Value)
{
    /// <summary>Number of bytes.</summary>
    public const int Size = sizeof(ulong);

    /// <summary>The prefix of a document's id.</summary>
    public static DocPrefix Of(DocId document)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        document.Value.CopyTo(bytes);
        return Read(bytes);
    }

    /// <summary>Reads the first eight bytes.</summary>
    public static DocPrefix Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes));

    /// <summary>Writes the eight bytes.</summary>
    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    // Seeded per process, as that of the whole id.
    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Value);
}
