using System.Buffers.Binary;
using System.Text.Unicode;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Paths;

/// <summary>The tag of a path segment; the byte is the one on the wire.</summary>
public enum SegmentKind : byte
{
    /// <summary>A field of a struct.</summary>
    Field = 0x01,
    /// <summary>An element of an array.</summary>
    Element = 0x02,
    /// <summary>A table key of type bool.</summary>
    BoolKey = 0x10,
    /// <summary>A table key of type u64.</summary>
    UIntKey = 0x11,
    /// <summary>A table key of type i64.</summary>
    IntKey = 0x12,
    /// <summary>A table key of type String.</summary>
    StringKey = 0x13,
    /// <summary>A table key of type Bytes.</summary>
    BytesKey = 0x14,
}

/// <summary>
/// One step of a storage path: a type tag and a number or a byte string (docs/protocol/encoding.md §5). The order of segments is that of their bytes.
/// </summary>
public readonly struct Segment : IEquatable<Segment>, IComparable<Segment>
{
    private const ulong SignBit = 1UL << 63;
    private readonly ulong _number;
    private readonly byte[]? _blob;

    private Segment(SegmentKind kind, ulong number, byte[]? blob = null)
    {
        Kind = kind;
        _number = number;
        _blob = blob;
    }

    /// <summary>The tag.</summary>
    public SegmentKind Kind { get; }

    /// <summary>True for table keys.</summary>
    public bool IsKey => Kind >= SegmentKind.BoolKey;

    /// <summary>The field of a <see cref="SegmentKind.Field"/>.</summary>
    public FieldId Field => Kind == SegmentKind.Field ? new(_number) : throw new InvalidOperationException("not a field");

    /// <summary>The element of a <see cref="SegmentKind.Element"/>.</summary>
    public Uid Element => Kind == SegmentKind.Element ? new(_number) : throw new InvalidOperationException("not an element");

    /// <summary>The key as bool, ulong, long, string or byte[].</summary>
    public object Key => Kind switch
    {
        SegmentKind.BoolKey => _number != 0,
        SegmentKind.UIntKey => _number,
        SegmentKind.IntKey => unchecked((long)(_number ^ SignBit)),
        SegmentKind.StringKey => System.Text.Encoding.UTF8.GetString(_blob!),
        SegmentKind.BytesKey => _blob!.ToArray(),
        SegmentKind.Field or SegmentKind.Element => throw new InvalidOperationException("not a key"),
        _ => throw new InvalidOperationException("not a segment"),
    };

    /// <summary>A struct field.</summary>
    public static Segment Of(FieldId field) => new(SegmentKind.Field, field.Value);

    /// <summary>An array element.</summary>
    public static Segment Of(Uid element) => new(SegmentKind.Element, element.Value);

    /// <summary>A table key.</summary>
    public static Segment Of(bool key) => new(SegmentKind.BoolKey, key ? 1UL : 0);

    /// <summary>A table key.</summary>
    public static Segment Of(ulong key) => new(SegmentKind.UIntKey, key);

    /// <summary>A table key.</summary>
    public static Segment Of(long key) => new(SegmentKind.IntKey, unchecked((ulong)key) ^ SignBit);

    /// <summary>A table key of at most <see cref="Limits.KeyBytes"/> bytes of UTF-8, without lone surrogates.</summary>
    public static Segment Of(string key)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(key.Length)];
        if (Utf8.FromUtf16(key, bytes, out _, out var written, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
            throw new TlfsException(Reason.TypeMismatch, "a key must be valid Unicode text");
        return new(SegmentKind.StringKey, 0, Bounded(bytes[..written]));
    }

    /// <summary>A table key of at most <see cref="Limits.KeyBytes"/> bytes.</summary>
    public static Segment Of(ReadOnlySpan<byte> key) => new(SegmentKind.BytesKey, 0, Bounded(key.ToArray()));

    /// <summary>Length on the wire.</summary>
    public int EncodedBytes => Kind switch
    {
        SegmentKind.BoolKey => 2,
        SegmentKind.StringKey or SegmentKind.BytesKey => 3 + _blob!.Length,
        _ => 9,
    };

    /// <summary>Writes the segment and returns its length.</summary>
    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)Kind;
        if (_blob is not null)
        {
            BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)_blob.Length);
            _blob.CopyTo(destination[3..]);
        }
        else if (Kind == SegmentKind.BoolKey)
        {
            destination[1] = (byte)_number;
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination[1..], _number);
        }

        return EncodedBytes;
    }

    /// <summary>Reads one segment from the front of bytes from outside.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Segment segment, out int used)
    {
        segment = default;
        used = 0;
        if (bytes.Length < 2) return false;
        var kind = (SegmentKind)bytes[0];
        switch (kind)
        {
            case SegmentKind.Field or SegmentKind.Element or SegmentKind.UIntKey or SegmentKind.IntKey when bytes.Length >= 9:
                segment = new(kind, BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]));
                break;
            case SegmentKind.BoolKey when bytes[1] <= 1:
                segment = new(kind, bytes[1]);
                break;
            case SegmentKind.StringKey or SegmentKind.BytesKey when bytes.Length >= 3:
                var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
                if (length > Limits.KeyBytes || bytes.Length < 3 + length) return false;
                var blob = bytes.Slice(3, length);
                if (kind == SegmentKind.StringKey && !Utf8.IsValid(blob)) return false;
                segment = new(kind, 0, blob.ToArray());
                break;
            default:
                return false;
        }

        used = segment.EncodedBytes;
        return true;
    }

    /// <inheritdoc />
    public bool Equals(Segment other) => CompareTo(other) == 0;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Segment other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Kind);
        hash.Add(_number);
        if (_blob is not null) hash.AddBytes(_blob);
        return hash.ToHashCode();
    }

    /// <inheritdoc />
    public int CompareTo(Segment other)
    {
        var order = ((byte)Kind).CompareTo((byte)other.Kind);
        if (order == 0) order = _number.CompareTo(other._number);
        if (order != 0 || _blob is null) return order;
        order = _blob.Length.CompareTo(other._blob!.Length);
        return order == 0 ? _blob.AsSpan().SequenceCompareTo(other._blob) : order;
    }

    /// <summary>Equality of tag and content.</summary>
    public static bool operator ==(Segment left, Segment right) => left.Equals(right);

    /// <summary>Inequality of tag or content.</summary>
    public static bool operator !=(Segment left, Segment right) => !left.Equals(right);

    private static byte[] Bounded(byte[] bytes) => bytes.Length <= Limits.KeyBytes
        ? bytes
        : throw new TlfsException(Reason.TooLarge, $"a table key has at most {Limits.KeyBytes} bytes");
}
