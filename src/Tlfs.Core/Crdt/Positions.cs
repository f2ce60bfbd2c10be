using System.Numerics;

namespace Tlfs.Core.Crdt;

/// <summary>
/// Finds positions between others. At the ends of an array a position is a whole number, written so that its bytes sort as numbers do: a head byte
/// <c>80 + n</c> and n bytes for what is above the middle, <c>80 - n</c> and n bytes for what is below. So 100,000 elements that are appended or
/// prepended one by one need 4 bytes each. Elsewhere a position is the shortest fraction that fits.
/// </summary>
internal static class Positions
{
    private const int Middle = 0x80;
    private const int MaxBody = 7;

    /// <summary>How far a single element keeps from the neighbour that it was probably typed after: room for the next ones on the other side.</summary>
    private const int Step = 4;

    /// <summary><paramref name="count"/> positions above the lower and below the upper one (null: no bound), ascending and spread evenly; null if there is no room.</summary>
    public static Position[]? Between(Position? lower, Position? upper, int count) => (lower, upper) switch
    {
        (null, null) => Up(Middle, 0, count, inclusive: true),
        ({ } low, null) => (Whole(low) is { } whole ? Up(whole.Head, whole.Body, count) : null) ?? Fractions(low, null, count),
        (null, { } high) => (Whole(high) is { } whole ? Down(whole.Head, whole.Body, count) : null) ?? Fractions(null, high, count),
        ({ } low, { } high) => low.CompareTo(high) < 0 ? Fractions(low, high, count) : null,
    };

    private static Position[]? Up(int head, ulong body, int count, bool inclusive = false)
    {
        var positions = new Position[count];
        for (var i = 0; i < count; i++)
        {
            if ((i > 0 || !inclusive) && !Next(ref head, ref body)) return null;
            positions[i] = Encode(head, body);
        }

        return positions;
    }

    private static Position[]? Down(int head, ulong body, int count)
    {
        var positions = new Position[count];
        for (var i = count - 1; i >= 0; i--)
        {
            if (!Previous(ref head, ref body)) return null;
            positions[i] = Encode(head, body);
        }

        return positions;
    }

    /// <summary>The next whole number. Bodies that end in a zero byte are left out, since a position does not.</summary>
    private static bool Next(ref int head, ref ulong body)
    {
        if (body >= MaxOf(head))
        {
            if (head == Middle + MaxBody) return false;
            head++;
            body = head == Middle ? 0UL : 1;
            return true;
        }

        body += (body & 0xFF) == 0xFF ? 2UL : 1;
        return true;
    }

    private static bool Previous(ref int head, ref ulong body)
    {
        if (body <= 1)
        {
            if (head == Middle - MaxBody) return false;
            head--;
            body = MaxOf(head);
            return true;
        }

        body -= (body & 0xFF) == 1 ? 2UL : 1;
        return true;
    }

    private static int BodyBytes(int head) => Math.Abs(head - Middle);

    private static ulong MaxOf(int head) => (1UL << (8 * BodyBytes(head))) - 1;

    private static (int Head, ulong Body)? Whole(Position position)
    {
        var bytes = position.Bytes;
        var count = BodyBytes(bytes[0]);
        if (count > MaxBody) return null;
        ulong body = 0;
        for (var i = 1; i <= count; i++) body = (body << 8) | (i < bytes.Length ? bytes[i] : 0UL);
        return (bytes[0], body);
    }

    private static Position Encode(int head, ulong body)
    {
        Span<byte> bytes = stackalloc byte[1 + BodyBytes(head)];
        bytes[0] = (byte)head;
        for (var i = bytes.Length - 1; i > 0; i--, body >>= 8) bytes[i] = (byte)(body & 0xFF);
        return From(bytes);
    }

    /// <summary>
    /// Fractions with as few digits as give room. Digits are read as whole numbers: with <c>digits</c> of them, <c>low &lt; x &lt; high</c>
    /// holds for exactly the x whose fraction lies between the bounds.
    /// </summary>
    private static Position[]? Fractions(Position? lower, Position? upper, int count)
    {
        for (var digits = 1; digits <= Limits.PositionBytes; digits++)
        {
            var low = lower is { } l ? Number(l.Bytes, digits) : BigInteger.Zero;
            var high = upper is { } u ? Number(u.Bytes, digits) + (u.Bytes.Length > digits ? 1 : 0) : BigInteger.One << (8 * digits);
            var room = high - low - 1;
            if (room < count) continue;
            return count == 1
                ? [FromNumber(Single(lower, upper, low, high), digits)]
                : [.. Enumerable.Range(1, count).Select(i => FromNumber(low + (i * (room + 1) / (count + 1)), digits))];
        }

        return null;
    }

    /// <summary>
    /// A single element goes near the neighbour with the longer position, which was probably inserted just before it: a run of insertions at
    /// one spot then uses up a byte in some 60 steps and not in 8.
    /// </summary>
    private static BigInteger Single(Position? lower, Position? upper, BigInteger low, BigInteger high)
    {
        var (below, above) = (lower?.Bytes.Length ?? 0, upper?.Bytes.Length ?? 0);
        var half = (high - low) / 2;
        var step = BigInteger.Min(Step, half);
        return below > above ? low + step : above > below ? high - step : low + half;
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes, int digits)
    {
        Span<byte> padded = stackalloc byte[digits];
        padded.Clear();
        bytes[..Math.Min(bytes.Length, digits)].CopyTo(padded);
        return new(padded, isUnsigned: true, isBigEndian: true);
    }

    private static Position FromNumber(BigInteger number, int digits)
    {
        Span<byte> bytes = stackalloc byte[digits];
        bytes.Clear();
        number.TryWriteBytes(bytes[(digits - number.GetByteCount(isUnsigned: true))..], out _, isUnsigned: true, isBigEndian: true);
        return From(bytes.TrimEnd((byte)0));
    }

    private static Position From(ReadOnlySpan<byte> bytes) =>
        Position.TryFrom(bytes, out var position) ? position : throw new InvalidOperationException("not a position");
}
