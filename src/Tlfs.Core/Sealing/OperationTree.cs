using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>The salted Merkle root over the operations of a part (docs/protocol/envelope.md §2.5).</summary>
public static class OperationTree
{
    private const int SaltSize = 16;

    /// <summary>The root over encoded operations under the part's key.</summary>
    public static Bytes32 Root(SecretKey partKey, IReadOnlyList<ReadOnlyMemory<byte>> operations)
    {
        if (operations.Count == 0) return Hashing.Hash(Label.Node, default);
        using var leafKey = Hashing.Derive(Label.Leaf, partKey.Bytes, default);
        var level = new Bytes32[operations.Count];
        Span<byte> salt = stackalloc byte[SaltSize];
        for (var i = 0; i < level.Length; i++)
        {
            Hashing.LeafSalt(leafKey, i, salt);
            level[i] = Hashing.Hash(Label.Leaf, salt, operations[i].Span);
        }

        return Fold(level);
    }

    // Pairing neighbours level by level and carrying an odd last node up gives the shape of RFC 6962.
    private static Bytes32 Fold(Bytes32[] level)
    {
        Span<byte> left = stackalloc byte[Bytes32.Size], right = stackalloc byte[Bytes32.Size];
        for (var count = level.Length; count > 1; count = (count + 1) / 2)
        {
            for (var i = 0; i + 1 < count; i += 2)
            {
                level[i].CopyTo(left);
                level[i + 1].CopyTo(right);
                level[i / 2] = Hashing.Hash(Label.Node, left, right);
            }

            if (count % 2 == 1) level[count / 2] = level[count - 1];
        }

        return level[0];
    }
}
