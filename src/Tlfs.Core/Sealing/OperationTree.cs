using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>The salted Merkle tree over the operations of a part, of RFC 6962 shape (docs/protocol/envelope.md §2.5), and proofs of single ones (§4.1).</summary>
public static class OperationTree
{
    /// <summary>The root over encoded operations under the part's key.</summary>
    public static Bytes32 Root(SecretKey partKey, IReadOnlyList<ReadOnlyMemory<byte>> operations)
    {
        if (operations.Count == 0) return Hashing.Hash(Label.Node, default);
        var level = Leaves(partKey, operations);
        for (var count = level.Length; count > 1; count = (count + 1) / 2) FoldOnce(level, count);
        return level[0];
    }

    /// <summary>The salts of some operations, and the hashes that prove them: those of the maximal subtrees without one of them, from left to right.</summary>
    /// <param name="partKey">The part's key.</param>
    /// <param name="operations">All encoded operations of the part.</param>
    /// <param name="indices">Which are to be proven, ascending, at least one.</param>
    public static (Salt[] Salts, Bytes32[] Hashes) Prove(SecretKey partKey, IReadOnlyList<ReadOnlyMemory<byte>> operations, IReadOnlyList<int> indices)
    {
        var siblings = Siblings(operations.Count, indices);
        var places = Places(siblings);
        var hashes = new Bytes32[siblings.Count];
        var level = Leaves(partKey, operations);
        var next = 0;
        for (var (height, count) = (0, level.Length); count > 1; height++, count = (count + 1) / 2)
        {
            for (; next < siblings.Count && siblings[next].Height == height; next++) hashes[places[next]] = level[siblings[next].Index];
            FoldOnce(level, count);
        }

        return (Salts(partKey, indices), hashes);
    }

    /// <summary>The root that a forward leads to; false if its shape is wrong.</summary>
    public static bool TryRoot(Forward forward, out Bytes32 root)
    {
        root = default;
        int[] indices = [.. forward.Operations.Select(operation => operation.Index)];
        if (!AreIndices(indices, forward.Count)) return false;
        var siblings = Siblings(forward.Count, indices);
        if (siblings.Count != forward.Hashes.Count) return false;
        var places = Places(siblings);
        Span<byte> salt = stackalloc byte[Salt.Size];
        var nodes = new Bytes32[indices.Length];
        for (var i = 0; i < nodes.Length; i++)
        {
            forward.Operations[i].Salt.CopyTo(salt);
            nodes[i] = Hashing.Hash(Label.Leaf, salt, forward.Operations[i].Bytes.Span);
        }

        var next = 0;
        for (var (count, known) = (forward.Count, nodes.Length); count > 1; count = (count + 1) / 2)
            known = FoldKnown(indices, nodes, known, count, () => forward.Hashes[places[next++]]);
        root = nodes[0];
        return true;
    }

    // One level up, in place, of the nodes that are known; a sibling that is not is asked for, in the order of Siblings.
    private static int FoldKnown(int[] indices, Bytes32[] nodes, int known, int count, Func<Bytes32> sibling)
    {
        var folded = 0;
        for (var i = 0; i < known; i++, folded++)
        {
            var index = indices[i];
            var node = nodes[i];
            if (index % 2 == 1) node = Join(sibling(), node);
            else if (i + 1 < known && indices[i + 1] == index + 1) node = Join(node, nodes[++i]);
            else if (index + 1 < count) node = Join(node, sibling());
            (indices[folded], nodes[folded]) = (index / 2, node);
        }

        return folded;
    }

    // The maximal subtrees without any of these leaves, from the leaves up and, in each level, from left to right.
    private static List<(int Height, int Index)> Siblings(int count, IReadOnlyList<int> indices)
    {
        var siblings = new List<(int, int)>();
        int[] nodes = [.. indices];
        var known = nodes.Length;
        for (var height = 0; count > 1; height++, count = (count + 1) / 2)
        {
            var folded = 0;
            for (var i = 0; i < known; i++, folded++)
            {
                var index = nodes[i];
                if (index % 2 == 0 && i + 1 < known && nodes[i + 1] == index + 1) i++;
                else if ((index ^ 1) < count) siblings.Add((height, index ^ 1));
                nodes[folded] = index / 2;
            }

            known = folded;
        }

        return siblings;
    }

    // Where in the order from left to right each of the siblings is.
    private static int[] Places(List<(int Height, int Index)> siblings)
    {
        int[] byStart = [.. Enumerable.Range(0, siblings.Count).OrderBy(i => siblings[i].Index << siblings[i].Height)];
        var places = new int[byStart.Length];
        for (var i = 0; i < places.Length; i++) places[byStart[i]] = i;
        return places;
    }

    private static bool AreIndices(int[] indices, int count)
    {
        if (count > Limits.Operations || indices.Length == 0 || indices[0] < 0 || indices[^1] >= count) return false;
        for (var i = 1; i < indices.Length; i++)
            if (indices[i - 1] >= indices[i]) return false;
        return true;
    }

    private static Bytes32[] Leaves(SecretKey partKey, IReadOnlyList<ReadOnlyMemory<byte>> operations)
    {
        using var leafKey = Hashing.Derive(Label.Leaf, partKey.Bytes, default);
        return LeafHashing.Leaves(leafKey, operations);
    }

    private static Salt[] Salts(SecretKey partKey, IReadOnlyList<int> indices)
    {
        using var leafKey = Hashing.Derive(Label.Leaf, partKey.Bytes, default);
        var salts = new Salt[indices.Count];
        Span<byte> salt = stackalloc byte[Salt.Size];
        for (var i = 0; i < salts.Length; i++)
        {
            Hashing.LeafSalt(leafKey, indices[i], salt);
            salts[i] = new(salt);
        }

        return salts;
    }

    // Pairing neighbours level by level and carrying an odd last node up gives the shape of RFC 6962.
    private static void FoldOnce(Bytes32[] level, int count)
    {
        var joined = LeafHashing.JoinPairs(level, count);
        for (var i = 2 * joined; i + 1 < count; i += 2) level[i / 2] = Join(level[i], level[i + 1]);
        if (count % 2 == 1) level[count / 2] = level[count - 1];
    }

    private static Bytes32 Join(Bytes32 left, Bytes32 right)
    {
        Span<byte> pair = stackalloc byte[2 * Bytes32.Size];
        left.CopyTo(pair);
        right.CopyTo(pair[Bytes32.Size..]);
        return Hashing.Hash(Label.Node, pair);
    }
}
