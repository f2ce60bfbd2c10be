using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crypto;

/// <summary>
/// BLAKE2b (RFC 7693) of four short inputs at a time, one in each lane of a vector, for trees over many small operations; a call to the library for each of them takes
/// three times as long. Only where the processor has such vectors; the library is what everything else uses and what this is tested against.
/// </summary>
internal static class Blake2bLanes
{
    /// <summary>Inputs at a time.</summary>
    public const int Lanes = 4;

    /// <summary>Bytes of a block, and of the longest input.</summary>
    public const int BlockSize = 128;

    private const int Words = 16;
    private const ulong UnkeyedBytes32 = 0x0101_0020, KeyedBytes16 = 0x0101_2010;

    private static ReadOnlySpan<ulong> Start =>
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1, 0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ];

    // The order of the words in each round; rounds 10 and 11 are 0 and 1 again.
    private static ReadOnlySpan<byte> Order =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ];

    /// <summary>True if this is fast here.</summary>
    public static bool IsSupported => Vector256.IsHardwareAccelerated && BitConverter.IsLittleEndian;

    /// <summary>BLAKE2b-256 of four inputs.</summary>
    /// <param name="blocks">Four blocks, each an input and zeros.</param>
    /// <param name="lengths">The inputs' lengths, at most <see cref="BlockSize"/>.</param>
    /// <param name="hashes">Four hashes.</param>
    public static void Hash(ReadOnlySpan<byte> blocks, Vector256<ulong> lengths, Span<Bytes32> hashes)
    {
        Span<Vector256<ulong>> state = stackalloc Vector256<ulong>[8];
        Begin(state, UnkeyedBytes32);
        Compress(state, blocks, lengths, isLast: true);
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        for (var lane = 0; lane < Lanes; lane++)
        {
            for (var word = 0; word < 4; word++) BinaryPrimitives.WriteUInt64LittleEndian(hash[(8 * word)..], state[word].GetElement(lane));
            hashes[lane] = new(hash);
        }
    }

    /// <summary>The state after a 32-byte key, for <see cref="Tags"/>: eight vectors. Who asks for it zeroes it.</summary>
    public static void Key(ReadOnlySpan<byte> key, Span<Vector256<ulong>> state)
    {
        Span<byte> blocks = stackalloc byte[Lanes * BlockSize];
        blocks.Clear();
        for (var lane = 0; lane < Lanes; lane++) key.CopyTo(blocks[(lane * BlockSize)..]);
        Begin(state, KeyedBytes16);
        Compress(state, blocks, Vector256.Create((ulong)BlockSize), isLast: false);
        SecretKey.Zero(blocks);
    }

    /// <summary>Keyed BLAKE2b-128 of four numbers that follow one another, as u32be.</summary>
    /// <param name="key">What <see cref="Key"/> made.</param>
    /// <param name="first">The first number.</param>
    /// <param name="tags">Four tags of 16 bytes.</param>
    public static void Tags(ReadOnlySpan<Vector256<ulong>> key, int first, Span<byte> tags)
    {
        Span<byte> blocks = stackalloc byte[Lanes * BlockSize];
        blocks.Clear();
        for (var lane = 0; lane < Lanes; lane++) BinaryPrimitives.WriteInt32BigEndian(blocks[(lane * BlockSize)..], first + lane);
        Span<Vector256<ulong>> state = stackalloc Vector256<ulong>[8];
        key.CopyTo(state);
        Compress(state, blocks, Vector256.Create((ulong)BlockSize + 4), isLast: true);
        for (var lane = 0; lane < Lanes; lane++)
            for (var word = 0; word < 2; word++) BinaryPrimitives.WriteUInt64LittleEndian(tags[((16 * lane) + (8 * word))..], state[word].GetElement(lane));
    }

    private static void Begin(Span<Vector256<ulong>> state, ulong parameters)
    {
        for (var i = 0; i < state.Length; i++) state[i] = Vector256.Create(Start[i]);
        state[0] ^= Vector256.Create(parameters);
    }

    private static void Compress(Span<Vector256<ulong>> state, ReadOnlySpan<byte> blocks, Vector256<ulong> counter, bool isLast)
    {
        Span<Vector256<ulong>> m = stackalloc Vector256<ulong>[Words];
        var words = MemoryMarshal.Cast<byte, ulong>(blocks);
        for (var i = 0; i < Words; i++) m[i] = Vector256.Create(words[i], words[Words + i], words[(2 * Words) + i], words[(3 * Words) + i]);
        Vector256<ulong> v0 = state[0], v1 = state[1], v2 = state[2], v3 = state[3], v4 = state[4], v5 = state[5], v6 = state[6], v7 = state[7];
        Vector256<ulong> v8 = Vector256.Create(Start[0]), v9 = Vector256.Create(Start[1]), v10 = Vector256.Create(Start[2]), v11 = Vector256.Create(Start[3]);
        Vector256<ulong> v12 = Vector256.Create(Start[4]) ^ counter, v13 = Vector256.Create(Start[5]), v14 = Vector256.Create(Start[6]), v15 = Vector256.Create(Start[7]);
        if (isLast) v14 = ~v14;
        for (var round = 0; round < 12; round++)
        {
            var s = Order.Slice(round % 10 * Words, Words);
            Mix(ref v0, ref v4, ref v8, ref v12, m[s[0]], m[s[1]]);
            Mix(ref v1, ref v5, ref v9, ref v13, m[s[2]], m[s[3]]);
            Mix(ref v2, ref v6, ref v10, ref v14, m[s[4]], m[s[5]]);
            Mix(ref v3, ref v7, ref v11, ref v15, m[s[6]], m[s[7]]);
            Mix(ref v0, ref v5, ref v10, ref v15, m[s[8]], m[s[9]]);
            Mix(ref v1, ref v6, ref v11, ref v12, m[s[10]], m[s[11]]);
            Mix(ref v2, ref v7, ref v8, ref v13, m[s[12]], m[s[13]]);
            Mix(ref v3, ref v4, ref v9, ref v14, m[s[14]], m[s[15]]);
        }

        state[0] ^= v0 ^ v8;
        state[1] ^= v1 ^ v9;
        state[2] ^= v2 ^ v10;
        state[3] ^= v3 ^ v11;
        state[4] ^= v4 ^ v12;
        state[5] ^= v5 ^ v13;
        state[6] ^= v6 ^ v14;
        state[7] ^= v7 ^ v15;

        // Only a key comes before other blocks.
        if (!isLast) SecretKey.Zero(MemoryMarshal.AsBytes(m));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector256<ulong> a, ref Vector256<ulong> b, ref Vector256<ulong> c, ref Vector256<ulong> d, Vector256<ulong> x, Vector256<ulong> y)
    {
        a += b + x;
        d = Turn(d ^ a, 32);
        c += d;
        b = Turn(b ^ c, 24);
        a += b + y;
        d = Turn(d ^ a, 16);
        c += d;
        b = Turn(b ^ c, 63);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Turn(Vector256<ulong> value, int bits) => (value >>> bits) | (value << (64 - bits));
}
