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
        var done = new Undoing(store, store.Current, writing.Written, [], tree);
        _done.Add(done);
        var hash = tree.Hash;
        var page = tree.Root is null ? null : writing.Root(tree.Root);
        AddGone(store.Current, writing.Kept, done.Gone);
        foreach (var old in done.Gone) old.IsLive = false;
        var root = new RadixRoot(page?.Number ?? 0, tree.Count, hash);
        tree.StoredAs = store.Current = page is null ? null : new(page, root);
        freed = [.. done.Gone.Select(old => old.Number)];
        return root;
    }

    /// <summary>
    /// Takes back everything that this writer did, or began: to be called when the transaction that its pages went to was not committed. The trees
    /// then know again that they are not stored.
    /// </summary>
    public void Undo()
    {
        for (var i = _done.Count - 1; i >= 0; i--)
        {
            var (store, before, written, gone, tree) = _done[i];
            foreach (var page in written) page.IsLive = false;
            foreach (var page in gone) page.IsLive = true;
            store.Current = before;
            tree.StoredAs = null;
        }

        _done.Clear();
    }

    private static void AddGone(StoredTree? before, HashSet<StoredPage> kept, List<StoredPage> gone)
    {
        var open = new Stack<StoredPage>();
        if (before is not null) open.Push(before.Page);
        while (open.TryPop(out var page))
        {
            if (kept.Contains(page)) continue;
            gone.Add(page);

            // What a damaged page names is not to be deleted, so it is read with all checks.
            if (page.Children is null) _ = page.Stub?.Load() ?? before!.Load();
            foreach (var child in page.Children!) open.Push(child);
        }
    }

    private sealed record Undoing(RadixStore Store, StoredTree? Before, List<StoredPage> Written, List<StoredPage> Gone, RadixTree Tree);
}
