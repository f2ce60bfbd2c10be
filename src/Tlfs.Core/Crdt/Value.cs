using Tlfs.Core.Encoding;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Crdt;

/// <summary>What a <see cref="Value"/> is on the wire.</summary>
public enum ValueKind : byte
{
    /// <summary>null: what makes a row or element exist.</summary>
    Null,
    /// <summary>true or false.</summary>
    Bool,
    /// <summary>An integer from 0 to 2^64 - 1. It fits u64, and up to 2^63 - 1 also i64.</summary>
    Unsigned,
    /// <summary>An integer from -2^63 to -1.</summary>
    Negative,
    /// <summary>A finite floating point number.</summary>
    Float,
    /// <summary>Unicode text.</summary>
    Text,
    /// <summary>A byte string.</summary>
    Bytes,
}

/// <summary>The value of a put (docs/protocol/operations.md §3.3). Equality is that of the encoded bytes, so 0.0 and -0.0 differ.</summary>
public readonly struct Value : IEquatable<Value>
{
    private readonly ulong _bits;
    private readonly object? _content;

    private Value(ValueKind kind, ulong bits, object? content = null)
    {
        Kind = kind;
        _bits = bits;
        _content = content;
    }

    /// <summary>null.</summary>
    public static Value Null => default;

    /// <summary>true, which is also what switches a flag on.</summary>
    public static Value True { get; } = new(ValueKind.Bool, 1);

    /// <summary>What it is.</summary>
    public ValueKind Kind { get; }

    /// <summary>A boolean.</summary>
    public static Value Of(bool value) => new(ValueKind.Bool, value ? 1UL : 0);

    /// <summary>An unsigned integer.</summary>
    public static Value Of(ulong value) => new(ValueKind.Unsigned, value);

    /// <summary>A signed integer; one that is not negative equals the unsigned one.</summary>
    public static Value Of(long value) => new(value < 0 ? ValueKind.Negative : ValueKind.Unsigned, unchecked((ulong)value));

    /// <summary>A finite number; others are an <see cref="ArgumentOutOfRangeException"/>.</summary>
    public static Value Of(double value) => double.IsFinite(value)
        ? new(ValueKind.Float, BitConverter.DoubleToUInt64Bits(value))
        : throw new ArgumentOutOfRangeException(nameof(value), "a finite number is needed");

    /// <summary>Text; a lone surrogate is a <see cref="TlfsException"/> with <see cref="Reason.TypeMismatch"/>.</summary>
    public static Value Of(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (!char.IsSurrogate(value[i])) continue;
            if (!char.IsSurrogatePair(value, i)) throw new TlfsException(Reason.TypeMismatch, "text with a lone surrogate is not Unicode");
            i++;
        }

        return new(ValueKind.Text, 0, value);
    }

    /// <summary>A byte string; the bytes are copied.</summary>
    public static Value Of(ReadOnlySpan<byte> value) => new(ValueKind.Bytes, 0, value.ToArray());

    /// <summary>The boolean of a <see cref="ValueKind.Bool"/>.</summary>
    public bool AsBool => Require(ValueKind.Bool) == 1;

    /// <summary>The integer of a <see cref="ValueKind.Unsigned"/>.</summary>
    public ulong AsUInt64 => Require(ValueKind.Unsigned);

    /// <summary>The integer of a value that fits i64.</summary>
    public long AsInt64 => Fits(Primitive.I64) ? unchecked((long)_bits) : throw new InvalidOperationException("not an i64");

    /// <summary>The number of a <see cref="ValueKind.Float"/>.</summary>
    public double AsDouble => BitConverter.UInt64BitsToDouble(Require(ValueKind.Float));

    /// <summary>The text of a <see cref="ValueKind.Text"/>.</summary>
    public string AsString => (string)Content(ValueKind.Text);

    /// <summary>The bytes of a <see cref="ValueKind.Bytes"/>.</summary>
    public ReadOnlySpan<byte> AsBytes => (byte[])Content(ValueKind.Bytes);

    /// <summary>True if a register of the primitive can hold it.</summary>
    public bool Fits(Primitive primitive) => primitive switch
    {
        Primitive.Bool => Kind == ValueKind.Bool,
        Primitive.U64 => Kind == ValueKind.Unsigned,
        Primitive.I64 => Kind == ValueKind.Negative || (Kind == ValueKind.Unsigned && _bits <= long.MaxValue),
        Primitive.F64 => Kind == ValueKind.Float,
        Primitive.String => Kind == ValueKind.Text,
        Primitive.Bytes => Kind == ValueKind.Bytes,
    };

    /// <inheritdoc />
    public bool Equals(Value other) => Kind == other.Kind && _bits == other._bits && (_content, other._content) switch
    {
        (string left, string right) => string.Equals(left, right, StringComparison.Ordinal),
        (byte[] left, byte[] right) => left.AsSpan().SequenceEqual(right),
        _ => true,
    };

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Kind);
        hash.Add(_bits);
        if (_content is string text) hash.Add(text, StringComparer.Ordinal);
        if (_content is byte[] bytes) hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    /// <summary>Equality of the encoded bytes.</summary>
    public static bool operator ==(Value left, Value right) => left.Equals(right);

    /// <summary>Inequality of the encoded bytes.</summary>
    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    /// <summary>The kind only: values are private and do not belong in logs.</summary>
    public override string ToString() => Kind.ToString();

    internal static Value Read(CanonicalReader reader)
    {
        switch (reader.Peek())
        {
            case CanonicalKind.Null: reader.Null(); return Null;
            case CanonicalKind.Bool: return Of(reader.Bool());
            case CanonicalKind.UInt: return Of(reader.UInt());
            case CanonicalKind.NegativeInt: return Of(reader.Int());
            case CanonicalKind.Double: return Of(reader.Double());
            case CanonicalKind.Text: return new(ValueKind.Text, 0, reader.Text(Limits.EnvelopeBytes));
            case CanonicalKind.Bytes: return new(ValueKind.Bytes, 0, reader.Bytes(Limits.EnvelopeBytes));
            default:
                CanonicalReader.Fail("a value expected");
                return default;
        }
    }

    internal void Write(CanonicalWriter writer)
    {
        switch (Kind)
        {
            case ValueKind.Null: writer.Null(); break;
            case ValueKind.Bool: writer.Bool(AsBool); break;
            case ValueKind.Unsigned: writer.UInt(_bits); break;
            case ValueKind.Negative: writer.Int(AsInt64); break;
            case ValueKind.Float: writer.Double(AsDouble); break;
            case ValueKind.Text: writer.Text(AsString); break;
            case ValueKind.Bytes: writer.Bytes(AsBytes); break;
        }
    }

    private ulong Require(ValueKind kind) => Kind == kind ? _bits : throw new InvalidOperationException($"not a value of kind {kind}");

    private object Content(ValueKind kind) => Kind == kind ? _content! : throw new InvalidOperationException($"not a value of kind {kind}");
}
