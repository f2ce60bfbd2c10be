namespace Tlfs.Core.Radix;

/// <summary>
/// Stores versions of a tree as pages of about 4 to 8 KiB. Only what is not stored yet is written; the rest is referred to. A tree belongs to
/// the store that it was opened from or first written to; <see cref="RadixTree.Detach"/> frees it for another one.
/// </summary>
/// <param name="append">Stores one page and returns its number, which must be new.</param>
public sealed class RadixPageWriter(Func<ReadOnlyMemory<byte>, long> append)
{
    private readonly List<Undoing> _done = [];

    /// <summary>
    /// Stores a version. The store then holds this version only; older ones stay usable as far as they are in memory. For one thread at a time.
    /// </summary>
    /// <param name="tree">The version.</param>
    /// <param name="freed">Pages of the version stored before that this one does not contain; delete them with the same commit, never before it.</param>
    /// <returns>The reference to open it by.</returns>
    public RadixRoot Write(RadixTree tree, out IReadOnlyList<long> freed)
    {
        if (tree.StoredAs is { Page.IsLive: true } stored)
        {
            freed = [];
            return stored.Root;
        }

        var store = tree.Store ?? new(null);
        var writing = new PageWriting(store, append);
        var hash = tree.Hash;
        var page = tree.Root is null ? null : writing.Root(tree.Root);
        var gone = Gone(store.Root, writing.Kept);
        _done.Add(new(store, store.Root, writing.Written, gone, tree));
        foreach (var old in gone) old.IsLive = false;
        store.Root = page;
        var root = new RadixRoot(page?.Number ?? 0, tree.Count, hash);
        tree.StoredAs = page is null ? null : new(page, root);
        freed = [.. gone.Select(old => old.Number)];
        return root;
    }

    /// <summary>
    /// Takes back everything that this writer did: to be called when the transaction that its pages went to was not committed. The trees then
    /// know again that they are not stored.
    /// </summary>
    public void Undo()
    {
        for (var i = _done.Count - 1; i >= 0; i--)
        {
            var (store, root, written, gone, tree) = _done[i];
            foreach (var page in written) page.IsLive = false;
            foreach (var page in gone) page.IsLive = true;
            store.Root = root;
            tree.StoredAs = null;
        }

        _done.Clear();
    }

    private static List<StoredPage> Gone(StoredPage? root, HashSet<StoredPage> kept)
    {
        var gone = new List<StoredPage>();
        var open = new Stack<StoredPage>();
        if (root is not null) open.Push(root);
        while (open.TryPop(out var page))
        {
            if (kept.Contains(page)) continue;
            gone.Add(page);
            page.Children ??= new PageReader(page, page.Store.Read(page.Number)).References();
            foreach (var child in page.Children) open.Push(child);
        }

        return gone;
    }

    private sealed record Undoing(RadixStore Store, StoredPage? Root, List<StoredPage> Written, List<StoredPage> Gone, RadixTree Tree);
}
