using System.Buffers.Binary;

namespace Tlfs.Core.Ids;

/// <summary>An array element: 8 random bytes, stable while the element moves.</summary>
/// <param name="Value">The 8 bytes as a big-endian number.</param>
public readonly record struct Uid(ulong Value) : IComparable<Uid>
{
    /// <summary>Number of bytes.</summary>
    public const int Size = 8;

    /// <summary>Reads exactly 8 bytes.</summary>
    public static Uid From(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        return new(BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    /// <summary>Writes the 8 bytes.</summary>
    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    /// <inheritdoc />
    public int CompareTo(Uid other) => Value.CompareTo(other.Value);

    /// <summary>Lower-case hexadecimal, for diagnostics.</summary>
    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
