using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>All 32-byte ids that start with some nibbles (half bytes, the high one first).</summary>
/// <param name="Start">The nibbles, then zeros: the least id.</param>
/// <param name="Nibbles">How many, at most 64.</param>
internal readonly record struct IdRange(Bytes32 Start, int Nibbles)
{
    public const int MaxNibbles = 2 * Bytes32.Size;

    public static IdRange All => default;

    /// <summary>The part numbered <paramref name="index"/> of the 16^levels equal parts of this range.</summary>
    public IdRange Part(int index, int levels)
    {
        Span<byte> start = stackalloc byte[Bytes32.Size];
        Start.CopyTo(start);
        for (var (at, rest) = (Nibbles + levels - 1, index); at >= Nibbles; at--, rest >>= 4)
            start[at / 2] |= (byte)((at & 1) == 0 ? (rest & 0x0F) << 4 : rest & 0x0F);

        return new(new(start), Nibbles + levels);
    }

    public bool Contains(IdRange other) => other.Nibbles >= Nibbles && Cut(other.Start) == Start;

    public bool Contains(Bytes32 id) => Cut(id) == Start;

    /// <summary>The number of nibbles in one byte, then the nibbles.</summary>
    public byte[] Encode() => [(byte)Nibbles, .. Start.ToArray()[..((Nibbles + 1) / 2)]];

    /// <summary>Reads a range; refuses what <see cref="Encode"/> would not make.</summary>
    public static IdRange Read(CanonicalReader reader)
    {
        var bytes = reader.Bytes(1 + Bytes32.Size);
        CanonicalReader.Require(bytes.Length > 0 && bytes[0] <= MaxNibbles && bytes.Length == 1 + ((bytes[0] + 1) / 2), "a range expected");
        var start = new byte[Bytes32.Size];
        bytes.AsSpan(1).CopyTo(start);
        var range = new IdRange(new(start), bytes[0]);
        CanonicalReader.Require(range.Contains(range.Start), "zeros expected after a range");
        return range;
    }

    private Bytes32 Cut(Bytes32 id)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        id.CopyTo(bytes);
        bytes[((Nibbles + 1) / 2)..].Clear();
        if ((Nibbles & 1) != 0) bytes[Nibbles / 2] &= 0xF0;
        return new(bytes);
    }
}
