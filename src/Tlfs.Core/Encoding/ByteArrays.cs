namespace Tlfs.Core.Encoding;

/// <summary>
/// Arrays of bytes from pieces. The compiler builds some collection expressions of spans byte by byte, in a list that leaves copies of secrets behind when it grows.
/// </summary>
public static class ByteArrays
{
    /// <summary>The pieces one after the other, in one new array; of those that are left out nothing.</summary>
    public static byte[] Concat(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third = default, ReadOnlySpan<byte> fourth = default, ReadOnlySpan<byte> fifth = default)
    {
        var bytes = new byte[first.Length + second.Length + third.Length + fourth.Length + fifth.Length];
        var rest = bytes.AsSpan();
        Take(first, ref rest);
        Take(second, ref rest);
        Take(third, ref rest);
        Take(fourth, ref rest);
        Take(fifth, ref rest);
        return bytes;
    }

    private static void Take(ReadOnlySpan<byte> piece, ref Span<byte> rest)
    {
        piece.CopyTo(rest);
        rest = rest[piece.Length..];
    }
}
