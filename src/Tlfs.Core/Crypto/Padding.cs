using System.Buffers.Binary;
using System.Numerics;

namespace Tlfs.Core.Crypto;

/// <summary>Padding that hides lengths (docs/protocol/encoding.md §4).</summary>
public static class Padding
{
    /// <summary>The padded length of <paramref name="length"/> bytes: 256, then Padmé.</summary>
    public static int PaddedLength(int length)
    {
        if (length <= 256) return 256;
        var exponent = BitOperations.Log2((uint)length);
        var significant = BitOperations.Log2((uint)exponent) + 1;
        var mask = (1 << (exponent - significant)) - 1;
        return (length + mask) & ~mask;
    }

    /// <summary><c>u32be(length) ‖ plain ‖ zeros</c>, as long as <paramref name="paddedLength"/> says for <c>4 + length</c>.</summary>
    public static byte[] Pad(ReadOnlySpan<byte> plain, Func<int, int> paddedLength)
    {
        var padded = new byte[paddedLength(4 + plain.Length)];
        BinaryPrimitives.WriteInt32BigEndian(padded, plain.Length);
        plain.CopyTo(padded.AsSpan(4));
        return padded;
    }

    /// <summary>Takes the padding off; false unless the length fits and every byte after it is zero.</summary>
    public static bool TryUnpad(ReadOnlyMemory<byte> padded, Func<int, int> paddedLength, out ReadOnlyMemory<byte> plain)
    {
        plain = default;
        if (padded.Length < 4) return false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(padded.Span);
        if (length > padded.Length - 4 || paddedLength(4 + (int)length) != padded.Length) return false;
        if (padded.Span[(4 + (int)length)..].ContainsAnyExcept((byte)0)) return false;
        plain = padded.Slice(4, (int)length);
        return true;
    }
}
