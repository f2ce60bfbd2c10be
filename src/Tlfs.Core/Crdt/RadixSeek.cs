using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>Single entries by order, through the counts of the tree.</summary>
internal static class RadixSeek
{
    /// <summary>The first entry under the prefix whose key is not below <paramref name="from"/>.</summary>
    public static bool TryFirst(this RadixEditor tree, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> from, out RadixEntry entry) =>
        tree.TryAt(prefix, tree.Rank(prefix, from), out entry);

    /// <summary>The last entry under the prefix.</summary>
    public static bool TryLast(this RadixEditor tree, ReadOnlySpan<byte> prefix, out RadixEntry entry)
    {
        entry = default;
        var count = tree.CountUnder(prefix);
        return count > 0 && tree.TryAt(prefix, count - 1, out entry);
    }
}
