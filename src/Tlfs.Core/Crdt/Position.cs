namespace Tlfs.Core.Crdt;

/// <summary>
/// The place of an array element: a fraction between 0 and 1 as its digits to base 256, the first one first, without zeros at the end
/// (docs/protocol/operations.md §3.2). Without those zeros the order of the fractions is that of the byte strings.
/// </summary>
public readonly struct Position : IEquatable<Position>, IComparable<Position>
{
    private readonly byte[] _bytes;

    private Position(byte[] bytes) => _bytes = bytes;

    /// <summary>The digits: 1 to <see cref="Limits.PositionBytes"/> bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Takes digits from outside; false for none, too many, or a zero at the end.</summary>
    public static bool TryFrom(ReadOnlySpan<byte> bytes, out Position position)
    {
        position = default;
        if (bytes.Length is 0 or > Limits.PositionBytes || bytes[^1] == 0) return false;
        position = new(bytes.ToArray());
        return true;
    }

    /// <inheritdoc />
    public int CompareTo(Position other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <inheritdoc />
    public bool Equals(Position other) => CompareTo(other) == 0;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Position other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Equality of the digits.</summary>
    public static bool operator ==(Position left, Position right) => left.Equals(right);

    /// <summary>Inequality of the digits.</summary>
    public static bool operator !=(Position left, Position right) => !left.Equals(right);

    /// <summary>Hexadecimal, for diagnostics.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);
}
