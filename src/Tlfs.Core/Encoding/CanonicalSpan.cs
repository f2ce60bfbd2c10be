using System.Buffers.Binary;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Encoding;

/// <summary>Writes deterministic CBOR of numbers, byte strings, arrays and maps into memory that is long enough. The caller writes keys in ascending order.</summary>
internal ref struct CanonicalSpan(Span<byte> buffer)
{
    private const int UIntType = 0x00, BytesType = 0x40, ArrayType = 0x80, MapType = 0xA0;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Starts a map of so many entries; nothing ends it.</summary>
    public void BeginMap(int count) => Head(MapType, (ulong)count);

    /// <summary>Starts an array of so many items; nothing ends it.</summary>
    public void BeginArray(int count) => Head(ArrayType, (ulong)count);

    /// <summary>Writes an unsigned integer.</summary>
    public void UInt(ulong value) => Head(UIntType, value);

    /// <summary>Writes a map key and an unsigned integer.</summary>
    public void Entry(int key, ulong value)
    {
        UInt((ulong)key);
        UInt(value);
    }

    /// <summary>Writes a byte string.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Head(BytesType, (ulong)value.Length);
        value.CopyTo(_buffer[Length..]);
        Length += value.Length;
    }

    /// <summary>Writes 32 bytes as a byte string.</summary>
    public void Bytes32(Bytes32 value)
    {
        Head(BytesType, Ids.Bytes32.Size);
        value.CopyTo(_buffer[Length..]);
        Length += Ids.Bytes32.Size;
    }

    /// <summary>Writes a zone's handle as a byte string.</summary>
    public void Zone(ZoneId zone)
    {
        Head(BytesType, ZoneId.Size);
        zone.CopyTo(_buffer[Length..]);
        Length += ZoneId.Size;
    }

    private void Head(int type, ulong value)
    {
        var at = _buffer[Length..];
        switch (value)
        {
            case < 24:
                at[0] = (byte)(type | (int)value);
                Length++;
                break;
            case <= byte.MaxValue:
                at[0] = (byte)(type | 24);
                at[1] = (byte)value;
                Length += 2;
                break;
            case <= ushort.MaxValue:
                at[0] = (byte)(type | 25);
                BinaryPrimitives.WriteUInt16BigEndian(at[1..], (ushort)value);
                Length += 3;
                break;
            case <= uint.MaxValue:
                at[0] = (byte)(type | 26);
                BinaryPrimitives.WriteUInt32BigEndian(at[1..], (uint)value);
                Length += 5;
                break;
            default:
                at[0] = (byte)(type | 27);
                BinaryPrimitives.WriteUInt64BigEndian(at[1..], value);
                Length += 9;
                break;
        }
    }
}
