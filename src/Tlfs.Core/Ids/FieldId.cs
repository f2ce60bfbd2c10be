using System.Buffers.Binary;

namespace Tlfs.Core.Ids;

/// <summary>A field of a struct: the first 8 bytes of a hash over the lens list that made it (docs/protocol/operations.md §2.3).</summary>
/// <param name="Value">The 8 bytes as a big-endian number.</param>
public readonly record struct FieldId(ulong Value) : IComparable<FieldId>
{
    /// <summary>Number of bytes.</summary>
    public const int Size = 8;

    /// <summary>Reads exactly 8 bytes.</summary>
    public static FieldId From(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        return new(BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    /// <summary>Writes the 8 bytes.</summary>
    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    /// <inheritdoc />
    public int CompareTo(FieldId other) => Value.CompareTo(other.Value);

    /// <summary>Lower-case hexadecimal, for diagnostics.</summary>
    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
