using System.Numerics;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Log;

/// <summary>
/// The tree of RFC 6962 §2.1 with SHA-256 (log.md §1): its hashes, audit paths and consistency proofs. The log of a document and the
/// batch of receipts of a commit are both trees of this shape.
/// </summary>
public static class MerkleTree
{
    /// <summary>The root of the tree without leaves: <c>SHA-256()</c>.</summary>
    public static Bytes32 EmptyRoot { get; } = Hashing.Sha256([]);

    /// <summary><c>SHA-256(00 ‖ data)</c>.</summary>
    public static Bytes32 Leaf(Bytes32 data)
    {
        Span<byte> input = stackalloc byte[1 + Bytes32.Size];
        data.CopyTo(input[1..]);
        return Hashing.Sha256(input);
    }

    /// <summary><c>SHA-256(01 ‖ left ‖ right)</c>.</summary>
    public static Bytes32 Node(Bytes32 left, Bytes32 right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Bytes32.Size];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Bytes32.Size)..]);
        return Hashing.Sha256(input);
    }

    /// <summary>The root over leaf hashes.</summary>
    public static Bytes32 Root(IReadOnlyList<Bytes32> leaves) => leaves.Count == 0 ? EmptyRoot : Levels(leaves)[^1][0];

    /// <summary>The audit path of each leaf, in the order of the leaves; each path from the leaf's sibling up (RFC 6962 §2.1.1).</summary>
    public static IReadOnlyList<Bytes32>[] InclusionPaths(IReadOnlyList<Bytes32> leaves)
    {
        if (leaves.Count == 0) return [];
        var levels = Levels(leaves);
        var paths = new IReadOnlyList<Bytes32>[leaves.Count];
        for (var i = 0; i < paths.Length; i++) paths[i] = Climb(levels, i);
        return paths;
    }

    /// <summary>The audit path of one leaf.</summary>
    public static IReadOnlyList<Bytes32> InclusionPath(IReadOnlyList<Bytes32> leaves, int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)leaves.Count);
        return Climb(Levels(leaves), index);
    }

    /// <summary>The root that an audit path leads to from a leaf; false if a path of that length cannot belong to that place.</summary>
    /// <param name="leaf">The leaf's hash.</param>
    /// <param name="index">The leaf's place, from 0.</param>
    /// <param name="count">Leaves in the tree.</param>
    /// <param name="path">Siblings from the leaf up.</param>
    /// <param name="root">The root, when true is returned.</param>
    public static bool TryClimb(Bytes32 leaf, ulong index, ulong count, IReadOnlyList<Bytes32> path, out Bytes32 root)
    {
        root = leaf;
        if (index >= count) return false;
        var used = 0;
        for (var last = count - 1; last > 0; index >>= 1, last >>= 1)
        {
            // The last node of a level has no sibling when its number is even: it moves up as it is.
            if (index == last && (index & 1) == 0) continue;
            if (used == path.Count) return false;
            root = (index & 1) == 1 ? Node(path[used], root) : Node(root, path[used]);
            used++;
        }

        return used == path.Count;
    }

    /// <summary>The proof that the tree over the first <paramref name="size"/> leaves is the beginning of the whole one (RFC 6962 §2.1.2).</summary>
    public static IReadOnlyList<Bytes32> ConsistencyProof(IReadOnlyList<Bytes32> leaves, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return [.. ConsistencyRanges((ulong)size, (ulong)leaves.Count).Select(range => Root([.. leaves.Skip((int)range.Start).Take((int)range.Count)]))];
    }

    /// <summary>
    /// The subtrees whose roots, in this order, are the proof that the tree over the first <paramref name="size"/> leaves is the beginning of one over
    /// <paramref name="count"/>. Each begins at a multiple of the least power of two that is not below its number of leaves.
    /// </summary>
    public static IReadOnlyList<(ulong Start, ulong Count)> ConsistencyRanges(ulong size, ulong count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, count);
        var ranges = new List<(ulong Start, ulong Count)>();
        if (size > 0) Subproof(0, count, size, complete: true, ranges);
        return ranges;
    }

    /// <summary>Checks a proof made by <see cref="ConsistencyProof"/>; every tree is consistent with the empty one.</summary>
    public static bool VerifyConsistency(ulong oldSize, Bytes32 oldRoot, ulong newSize, Bytes32 newRoot, IReadOnlyList<Bytes32> proof)
    {
        if (oldSize > newSize) return false;
        if (oldSize == newSize) return proof.Count == 0 && oldRoot == newRoot;
        if (oldSize == 0) return proof.Count == 0 && oldRoot == EmptyRoot;

        // A complete old tree is itself the first node of the proof, and is left out of it.
        var nodes = BitOperations.IsPow2(oldSize) ? [oldRoot, .. proof] : proof;
        if (nodes.Count == 0) return false;
        var place = oldSize - 1;
        var last = newSize - 1;
        for (; (place & 1) == 1; place >>= 1) last >>= 1;
        return JoinProof(nodes, place, last, out var oldComputed, out var newComputed) && oldComputed == oldRoot && newComputed == newRoot;
    }

    private static bool JoinProof(IReadOnlyList<Bytes32> nodes, ulong place, ulong last, out Bytes32 oldRoot, out Bytes32 newRoot)
    {
        oldRoot = newRoot = nodes[0];
        var used = 1;
        for (; last > 0; place >>= 1, last >>= 1)
        {
            if (place == last && (place & 1) == 0) continue;
            if (used == nodes.Count) return false;
            var node = nodes[used++];
            if ((place & 1) == 0)
            {
                newRoot = Node(newRoot, node);
                continue;
            }

            oldRoot = Node(node, oldRoot);
            newRoot = Node(node, newRoot);
        }

        return used == nodes.Count;
    }

    private static void Subproof(ulong start, ulong count, ulong size, bool complete, List<(ulong Start, ulong Count)> ranges)
    {
        if (size == count)
        {
            if (!complete) ranges.Add((start, count));
            return;
        }

        var left = 1UL << BitOperations.Log2(count - 1);
        if (size <= left)
        {
            Subproof(start, left, size, complete, ranges);
            ranges.Add((start + left, count - left));
        }
        else
        {
            Subproof(start + left, count - left, size - left, complete: false, ranges);
            ranges.Add((start, left));
        }
    }

    // From the leaves up; a node without a sibling moves up as it is, which gives the shape of RFC 6962.
    private static List<IReadOnlyList<Bytes32>> Levels(IReadOnlyList<Bytes32> leaves)
    {
        var levels = new List<IReadOnlyList<Bytes32>> { leaves };
        while (levels[^1] is { Count: > 1 } below)
        {
            var level = new Bytes32[(below.Count + 1) / 2];
            for (var i = 0; i < level.Length; i++)
                level[i] = 2 * i + 1 < below.Count ? Node(below[2 * i], below[2 * i + 1]) : below[2 * i];
            levels.Add(level);
        }

        return levels;
    }

    private static List<Bytes32> Climb(List<IReadOnlyList<Bytes32>> levels, int index)
    {
        var path = new List<Bytes32>(levels.Count);
        foreach (var level in levels)
        {
            if ((index ^ 1) < level.Count && level.Count > 1) path.Add(level[index ^ 1]);
            index >>= 1;
        }

        return path;
    }
}
