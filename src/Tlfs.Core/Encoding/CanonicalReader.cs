using System.Diagnostics.CodeAnalysis;
using System.Formats.Cbor;
using System.Runtime.CompilerServices;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Encoding;

/// <summary>What the next CBOR item is.</summary>
public enum CanonicalKind
{
    /// <summary>Anything that the protocol does not use: tags, undefined, simple values.</summary>
    Other,
    /// <summary>An integer, not negative.</summary>
    UInt,
    /// <summary>A negative integer.</summary>
    NegativeInt,
    /// <summary>A byte string.</summary>
    Bytes,
    /// <summary>A text string.</summary>
    Text,
    /// <summary>An array.</summary>
    Array,
    /// <summary>A map.</summary>
    Map,
    /// <summary>true or false.</summary>
    Bool,
    /// <summary>null.</summary>
    Null,
    /// <summary>A floating point number.</summary>
    Double,
}

/// <summary>
/// Reads deterministic CBOR and nothing else: it accepts exactly the bytes that <see cref="CanonicalWriter"/> makes. Use it inside
/// <see cref="Canonical.TryDecode{T}"/>, which turns every way to fail into a <see cref="DecodeError"/>.
/// </summary>
public sealed class CanonicalReader
{
    private readonly CborReader _cbor;
    private bool _restAllowed;

    internal CanonicalReader(ReadOnlyMemory<byte> bytes) => _cbor = new(bytes, CborConformanceMode.Canonical, allowMultipleRootLevelValues: true);

    /// <summary>Refuses the input.</summary>
    [DoesNotReturn]
    public static void Fail(string detail, Reason reason = Reason.Malformed) => throw new DecodeException(reason, detail);

    /// <summary>Refuses the input unless the condition holds.</summary>
    public static void Require([DoesNotReturnIf(false)] bool condition, string detail, Reason reason = Reason.Malformed)
    {
        if (!condition) Fail(detail, reason);
    }

    /// <summary>The same; what to say is put together only if there is something to say.</summary>
    public static void Require(
        [DoesNotReturnIf(false)] bool condition, [InterpolatedStringHandlerArgument(nameof(condition))] ref RefusalDetail detail, Reason reason = Reason.Malformed)
    {
        if (!condition) Fail(detail.ToText(), reason);
    }

    /// <summary>The kind of the next item.</summary>
    public CanonicalKind Peek() => _cbor.PeekState() switch
    {
        CborReaderState.UnsignedInteger => CanonicalKind.UInt,
        CborReaderState.NegativeInteger => CanonicalKind.NegativeInt,
        CborReaderState.ByteString => CanonicalKind.Bytes,
        CborReaderState.TextString => CanonicalKind.Text,
        CborReaderState.StartArray => CanonicalKind.Array,
        CborReaderState.StartMap => CanonicalKind.Map,
        CborReaderState.Boolean => CanonicalKind.Bool,
        CborReaderState.Null => CanonicalKind.Null,
        CborReaderState.HalfPrecisionFloat or CborReaderState.SinglePrecisionFloat or CborReaderState.DoublePrecisionFloat => CanonicalKind.Double,
        _ => CanonicalKind.Other,
    };

    /// <summary>Enters an array of exactly <paramref name="count"/> items.</summary>
    public void BeginArray(int count) => Require(_cbor.ReadStartArray() == count, $"array of {count} items expected");

    /// <summary>Enters an array and returns its length, at most <paramref name="max"/>.</summary>
    public int BeginArrayUpTo(int max)
    {
        var count = _cbor.ReadStartArray() ?? -1;
        Require(count >= 0 && count <= max, $"array of at most {max} items expected", count > max ? Reason.TooLarge : Reason.Malformed);
        return count;
    }

    /// <summary>Leaves the innermost array.</summary>
    public void EndArray() => _cbor.ReadEndArray();

    /// <summary>Enters a map and returns its number of entries, at most 24.</summary>
    public int BeginMap()
    {
        var count = _cbor.ReadStartMap() ?? -1;
        Require(count is >= 0 and <= 24, "map with small keys expected");
        return count;
    }

    /// <summary>Reads a map key below 24.</summary>
    public int Key()
    {
        var key = _cbor.ReadUInt32();
        Require(key < 24, "map key below 24 expected");
        return (int)key;
    }

    /// <summary>Leaves the innermost map.</summary>
    public void EndMap() => _cbor.ReadEndMap();

    /// <summary>Reads an unsigned integer of at most <paramref name="max"/>.</summary>
    public ulong UInt(ulong max = ulong.MaxValue)
    {
        var value = _cbor.ReadUInt64();
        Require(value <= max, $"number of at most {max} expected");
        return value;
    }

    /// <summary>Reads an unsigned integer that fits an int and is at most <paramref name="max"/>.</summary>
    public int SmallInt(int max = int.MaxValue) => (int)UInt((ulong)max);

    /// <summary>Reads a signed integer.</summary>
    public long Int() => _cbor.ReadInt64();

    /// <summary>Reads a byte string of at most <paramref name="max"/> bytes.</summary>
    public byte[] Bytes(int max)
    {
        var bytes = _cbor.ReadDefiniteLengthByteString();
        Require(bytes.Length <= max, $"byte string of at most {max} bytes expected", Reason.TooLarge);
        return bytes.ToArray();
    }

    /// <summary>Reads a byte string of exactly <paramref name="count"/> bytes.</summary>
    public byte[] FixedBytes(int count)
    {
        var bytes = _cbor.ReadDefiniteLengthByteString();
        Require(bytes.Length == count, $"byte string of {count} bytes expected");
        return bytes.ToArray();
    }

    /// <summary>Reads text of at most <paramref name="maxBytes"/> bytes of UTF-8.</summary>
    public string Text(int maxBytes)
    {
        var bytes = _cbor.ReadDefiniteLengthTextStringBytes();
        Require(bytes.Length <= maxBytes, $"text of at most {maxBytes} bytes expected", Reason.TooLarge);
        Require(System.Text.Unicode.Utf8.IsValid(bytes.Span), "text is not valid UTF-8");
        return System.Text.Encoding.UTF8.GetString(bytes.Span);
    }

    /// <summary>Reads a boolean.</summary>
    public bool Bool() => _cbor.ReadBoolean();

    /// <summary>Reads null.</summary>
    public void Null() => _cbor.ReadNull();

    /// <summary>Reads a finite number; longer forms than needed are refused.</summary>
    public double Double()
    {
        var before = _cbor.BytesRemaining;
        var value = _cbor.ReadDouble();
        Require(double.IsFinite(value), "finite number expected");
        Require(before - _cbor.BytesRemaining == ShortestDoubleBytes(value), "number in its shortest form expected");
        return value;
    }

    /// <summary>Reads any one value and returns its bytes. The content is checked to be well-formed, not to be of any kind.</summary>
    public ReadOnlyMemory<byte> Raw() => _cbor.ReadEncodedValue();

    /// <summary>Reads a 32-byte identifier.</summary>
    public T Id<T>()
        where T : struct, IId<T> => T.From(Bytes32());

    /// <summary>Reads a 32-byte identifier, or null.</summary>
    public T? OptionalId<T>()
        where T : struct, IId<T>
    {
        if (Peek() != CanonicalKind.Null) return Id<T>();
        Null();
        return null;
    }

    /// <summary>Reads 32 bytes.</summary>
    public Bytes32 Bytes32() => new(FixedSpan(Ids.Bytes32.Size));

    /// <summary>Reads a zone's handle.</summary>
    public ZoneId Zone() => new(FixedSpan(ZoneId.Size));

    /// <summary>Reads a salt.</summary>
    public Salt Salt() => new(FixedSpan(Ids.Salt.Size));

    /// <summary>Reads an array of at most <paramref name="max"/> items.</summary>
    public T[] Array<T>(int max, Func<T> read)
    {
        var items = new List<T>();
        for (var left = BeginArrayUpTo(max); left > 0; left--) items.Add(read());
        EndArray();
        return [.. items];
    }

    /// <summary>Refuses a list that is not strictly ascending.</summary>
    public static void RequireAscending<T>(IReadOnlyList<T> items, string what)
        where T : IComparable<T>
    {
        for (var i = 1; i < items.Count; i++) Require(items[i - 1].CompareTo(items[i]) < 0, $"{what} must ascend");
    }

    /// <summary>Ends the value here, whatever follows; returns the number of bytes that do.</summary>
    internal int AllowRest()
    {
        _restAllowed = true;
        return _cbor.BytesRemaining;
    }

    internal void EnsureEnd() => Require(_restAllowed || _cbor.BytesRemaining == 0, "bytes after the value");

    private ReadOnlySpan<byte> FixedSpan(int count)
    {
        var bytes = _cbor.ReadDefiniteLengthByteString();
        Require(bytes.Length == count, $"byte string of {count} bytes expected");
        return bytes.Span;
    }

    private static int ShortestDoubleBytes(double value)
    {
        if ((double)(Half)value == value) return 3;
        return (double)(float)value == value ? 5 : 9;
    }
}
