using System.Buffers.Binary;

namespace Tlfs.Core.Ids;

/// <summary>A zone of a document: 16 opaque bytes. Zone 0, the whole document, is sixteen zero bytes.</summary>
public readonly record struct ZoneId : IComparable<ZoneId>
{
    /// <summary>Number of bytes.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    /// <summary>Copies exactly 16 bytes.</summary>
    public ZoneId(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        _value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>Zone 0: the whole document.</summary>
    public static ZoneId Root => default;

    /// <summary>Writes the 16 bytes.</summary>
    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, _value);

    /// <summary>The 16 bytes as a new array.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc />
    public int CompareTo(ZoneId other) => _value.CompareTo(other._value);

    /// <inheritdoc />
    public override string ToString() => "zone_" + Base32.Encode(ToArray());
}
