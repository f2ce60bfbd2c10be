namespace Tlfs.Core.Radix;

/// <summary>
/// What a line of versions knows about the place it is stored in. Page numbers mean something within one store only, so every version, and
/// every mark at a node, names its store.
/// </summary>
internal sealed class RadixStore(IRadixPages? pages)
{
    /// <summary>The version that was written or opened last; null when it has no entries.</summary>
    public StoredTree? Current { get; set; }

    public ReadOnlyMemory<byte> Read(long page) =>
        pages is null ? throw new InvalidOperationException("a tree that was not opened reads no pages") : pages.Read(page);
}

/// <summary>A page that a tree may refer to.</summary>
internal sealed class StoredPage(RadixStore store, long number, bool isRoot = false)
{
    private bool _isGone;

    public RadixStore Store => store;

    public long Number => number;

    public bool IsRoot => isRoot;

    /// <summary>The pages that this one refers to; null until it was read and found to be whole.</summary>
    public StoredPage[]? Children { get; set; }

    /// <summary>What refers to a page that was not written here.</summary>
    public Stub? Stub { get; set; }

    /// <summary>False once no stored version contains the page, so that it may be deleted.</summary>
    public bool IsLive
    {
        get => !Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, !value);
    }
}

/// <summary>Where a whole tree is stored.</summary>
internal sealed record StoredTree(StoredPage Page, RadixRoot Root)
{
    /// <summary>Reads and checks the root's page.</summary>
    public Node Load() => new PageReader(Page, Page.Store.Read(Page.Number)).Root(Root).Resolved;
}
