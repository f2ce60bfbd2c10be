using System.Buffers.Binary;

namespace Tlfs.Core.Crdt;

/// <summary>
/// A dot as a state keeps it: 14 bytes instead of 38. The first 8 bytes of the envelope's id come first, so the order is that of dots as long as two
/// envelopes do not begin alike; who needs the order then compares whole dots.
/// </summary>
/// <param name="Prefix">The first 8 bytes of the envelope's id.</param>
/// <param name="Part">The number that the state gave to the envelope's part; 0 for what is pending in an edit.</param>
/// <param name="Index">Place of the operation in the part.</param>
internal readonly record struct LocalDot(ulong Prefix, uint Part, ushort Index)
{
    /// <summary>Number of bytes.</summary>
    public const int Size = 14;

    public bool IsPending => Part == 0;

    /// <summary>An operation of the edit that is under way.</summary>
    public static LocalDot Pending(int index) => new(0, 0, (ushort)index);

    public static LocalDot From(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]));

    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Prefix);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Part);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[12..], Index);
    }
}
