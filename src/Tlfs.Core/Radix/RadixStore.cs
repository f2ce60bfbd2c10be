namespace Tlfs.Core.Radix;

/// <summary>
/// What a line of versions knows about the place it is stored in. Page numbers mean something within one store only, so every version, and
/// every mark at a node, names its store.
/// </summary>
internal sealed class RadixStore(IRadixPages? pages)
{
    /// <summary>The root's page of the version that was written or opened last.</summary>
    public StoredPage? Root { get; set; }

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

    /// <summary>The pages that this one refers to; null until it is read.</summary>
    public StoredPage[]? Children { get; set; }

    /// <summary>False once no stored version contains the page, so that it may be deleted.</summary>
    public bool IsLive
    {
        get => !Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, !value);
    }
}

/// <summary>Where a whole tree is stored.</summary>
internal sealed record StoredTree(StoredPage Page, RadixRoot Root);
