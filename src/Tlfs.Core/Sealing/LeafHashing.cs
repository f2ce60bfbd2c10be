using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>The hashes of an <see cref="OperationTree"/>, four at a time where the processor can: they are most of the work of sealing.</summary>
internal static class LeafHashing
{
    /// <summary>The leaves of these operations.</summary>
    public static Bytes32[] Leaves(SecretKey leafKey, IReadOnlyList<ReadOnlyMemory<byte>> operations)
    {
        var leaves = new Bytes32[operations.Count];
        var done = Blake2bLanes.IsSupported && leaves.Length > 1 ? InLanes(leafKey, operations, leaves) : 0;
        Span<byte> salt = stackalloc byte[Salt.Size];
        for (var i = done; i < leaves.Length; i++)
        {
            Hashing.LeafSalt(leafKey, i, salt);
            leaves[i] = Hashing.Hash(Label.Leaf, salt, operations[i].Span);
        }

        return leaves;
    }

    /// <summary>Hashes neighbours into the first half of the level, as many as go in fours, and returns how many pairs that were.</summary>
    public static int JoinPairs(Bytes32[] level, int count)
    {
        if (!Blake2bLanes.IsSupported) return 0;
        Span<byte> blocks = stackalloc byte[Blake2bLanes.Lanes * Blake2bLanes.BlockSize];
        Span<Bytes32> hashes = stackalloc Bytes32[Blake2bLanes.Lanes];
        blocks.Clear();
        var label = Label.Node.Bytes();
        var pairs = 0;
        for (; 2 * (pairs + Blake2bLanes.Lanes) <= count; pairs += Blake2bLanes.Lanes)
        {
            for (var lane = 0; lane < Blake2bLanes.Lanes; lane++)
            {
                var block = blocks.Slice(lane * Blake2bLanes.BlockSize, Blake2bLanes.BlockSize);
                label.CopyTo(block);
                level[2 * (pairs + lane)].CopyTo(block[label.Length..]);
                level[(2 * (pairs + lane)) + 1].CopyTo(block[(label.Length + Bytes32.Size)..]);
            }

            Blake2bLanes.Hash(blocks, Vector256.Create((ulong)(label.Length + (2 * Bytes32.Size))), hashes);
            hashes.CopyTo(level.AsSpan(pairs));
        }

        return pairs;
    }

    // All operations; lanes beyond the last are empty, and an operation that is longer than a block is hashed by itself.
    private static int InLanes(SecretKey leafKey, IReadOnlyList<ReadOnlyMemory<byte>> operations, Bytes32[] leaves)
    {
        Span<Vector256<ulong>> key = stackalloc Vector256<ulong>[8];
        Span<byte> salts = stackalloc byte[Blake2bLanes.Lanes * Salt.Size];
        Span<byte> blocks = stackalloc byte[Blake2bLanes.Lanes * Blake2bLanes.BlockSize];
        Span<Bytes32> hashes = stackalloc Bytes32[Blake2bLanes.Lanes];
        Span<ulong> lengths = stackalloc ulong[Blake2bLanes.Lanes];
        Blake2bLanes.Key(leafKey.Bytes, key);
        var label = Label.Leaf.Bytes();
        for (var first = 0; first < leaves.Length; first += Blake2bLanes.Lanes)
        {
            Blake2bLanes.Tags(key, first, salts);
            blocks.Clear();
            lengths.Clear();
            var used = Math.Min(Blake2bLanes.Lanes, leaves.Length - first);
            for (var lane = 0; lane < used; lane++)
            {
                var operation = operations[first + lane].Span;
                var length = label.Length + Salt.Size + operation.Length;
                if (length > Blake2bLanes.BlockSize) continue;
                var block = blocks[(lane * Blake2bLanes.BlockSize)..];
                label.CopyTo(block);
                salts.Slice(lane * Salt.Size, Salt.Size).CopyTo(block[label.Length..]);
                operation.CopyTo(block[(label.Length + Salt.Size)..]);
                lengths[lane] = (ulong)length;
            }

            Blake2bLanes.Hash(blocks, Vector256.Create<ulong>(lengths), hashes);
            for (var lane = 0; lane < used; lane++)
                leaves[first + lane] = lengths[lane] > 0 ? hashes[lane] : Hashing.Hash(Label.Leaf, salts.Slice(lane * Salt.Size, Salt.Size), operations[first + lane].Span);
        }

        SecretKey.Zero(MemoryMarshal.AsBytes(key));
        SecretKey.Zero(salts);
        return leaves.Length;
    }
}
