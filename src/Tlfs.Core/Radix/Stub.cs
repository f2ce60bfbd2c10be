using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>Stands for a node whose page has not been read. Count and hash are known without it.</summary>
internal sealed class Stub : Node
{
    private Node? _loaded;

    public Stub(ReadOnlySpan<byte> label, StoredPage page, int count, Bytes32 hash)
    {
        Bytes = label.ToArray();
        LabelLength = label.Length;
        Count = count;
        Page = page;
        Hash = hash;
    }

    public StoredPage Page { get; }

    public override StoredPage? Stored => Page;

    /// <summary>The node's hash; for a long value the value's.</summary>
    public Bytes32 Hash { get; }

    /// <summary>The page holds one long value.</summary>
    public bool IsLongValue { get; init; }

    /// <summary>The page holds children of a wide node.</summary>
    public bool IsGroup { get; init; }

    /// <summary>Reads and checks the page, once.</summary>
    /// <exception cref="RadixPageException">The page is damaged.</exception>
    public Node Load()
    {
        if (Volatile.Read(ref _loaded) is { } before) return before;
        var reader = new PageReader(Page, Page.Store.Read(Page.Number));
        var node = reader.Content(this);
        node.Stored = Page;
        return Interlocked.CompareExchange(ref _loaded, node, null) ?? node;
    }
}
