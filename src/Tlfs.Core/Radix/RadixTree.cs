using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// A map from bytes to bytes, ordered by key: one immutable version. Versions share what they have in common, so keeping one costs nothing.
/// A key that is a prefix of another comes before it. Safe for any number of concurrent readers.
/// </summary>
public sealed partial class RadixTree
{
    /// <summary>The longest key, in bytes.</summary>
    public const int MaxKeyBytes = 2048;

    private Node? _root;

    internal RadixTree(Node? root, RadixStore? store) => (_root, Store) = (root, store);

    private RadixTree(RadixStore store, RadixRoot root)
    {
        Store = store;
        if (root.Count > 0) StoredAs = store.Current = new(new(store, root.Page, isRoot: true), root);
    }

    /// <summary>The tree without entries.</summary>
    public static RadixTree Empty { get; } = new(null, store: null);

    /// <summary>The number of entries.</summary>
    public int Count => _root is null && StoredAs is { } stored ? stored.Root.Count : _root?.Count ?? 0;

    /// <summary>The Merkle hash: a function of the set of entries only, never of how they came here (docs/protocol/encoding.md §8).</summary>
    public Bytes32 Hash => StoredAs is { } stored ? stored.Root.Hash : NodeHashing.Root(_root, []);

    /// <summary>Where versions derived from this one are stored; null when that is still open.</summary>
    internal RadixStore? Store { get; }

    /// <summary>Where this version is stored, if it is.</summary>
    internal StoredTree? StoredAs { get; set; }

    internal Node? Root => Volatile.Read(ref _root) ?? (StoredAs is { } stored ? LoadRoot(stored) : null);

    /// <summary>A stored version. Reads nothing yet; pages are read when they are first needed, and then kept.</summary>
    /// <param name="pages">The stored pages. What it throws, and <see cref="RadixPageException"/>, reaches whoever asks the tree.</param>
    /// <param name="root">What <see cref="RadixPageWriter.Write"/> returned.</param>
    public static RadixTree Open(IRadixPages pages, RadixRoot root) => new(new(pages), root);

    /// <summary>Finds the value of a key.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlyMemory<byte> value) => NodeReading.TryGet(Root, key, out value);

    /// <summary>True when the key has a value.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => NodeReading.TryGet(Root, key, out _);

    /// <summary>How many keys start with the prefix, without visiting them.</summary>
    public int CountUnder(ReadOnlySpan<byte> prefix) => NodeReading.Locate(Root, prefix, out _)?.Count ?? 0;

    /// <summary>The entries whose keys start with the prefix, ascending by the unsigned bytes of their keys.</summary>
    public IEnumerable<RadixEntry> Scan(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(Root, prefix.Span));

    /// <summary>Like <see cref="Scan"/>, without the keys below <paramref name="from"/>, which is a whole key that need not exist.</summary>
    public IEnumerable<RadixEntry> ScanFrom(ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte> from) =>
        Walk(() => NodeCursor.From(Root, prefix.Span, from.Span));

    /// <summary>The entries whose keys start with the prefix, descending.</summary>
    public IEnumerable<RadixEntry> ScanBack(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(Root, prefix.Span, descending: true));

    /// <summary>Finds the entry with exactly <paramref name="index"/> smaller ones under the prefix; false when there is none.</summary>
    public bool TryAt(ReadOnlySpan<byte> prefix, int index, out RadixEntry entry) => NodeReading.TryAt(Root, prefix, index, out entry);

    /// <summary>How many keys under the prefix are smaller than this one, which need not exist.</summary>
    public int Rank(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key) => NodeReading.Rank(Root, prefix, key);

    /// <summary>The <see cref="Hash"/> of a tree that holds exactly the entries under the prefix, with their whole keys.</summary>
    public Bytes32 HashUnder(ReadOnlySpan<byte> prefix)
    {
        var node = NodeReading.Locate(Root, prefix, out var start);
        return NodeHashing.Root(node, prefix[..start]);
    }

    /// <summary>This tree with one entry set. For more than one, use an editor.</summary>
    public RadixTree Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var editor = Edit();
        editor.Set(key, value);
        return editor.Snapshot();
    }

    /// <summary>This tree without a key; the same tree when it is absent.</summary>
    public RadixTree Remove(ReadOnlySpan<byte> key)
    {
        var editor = Edit();
        return editor.Remove(key) ? editor.Snapshot() : this;
    }

    /// <summary>A version that can be changed and that starts from this one, which does not change.</summary>
    public RadixEditor Edit() => new(this);

    /// <summary>The same entries, not stored anywhere: to write them to another store than the one they are in.</summary>
    public RadixTree Detach() => new(Root, new(null));

    private Node LoadRoot(StoredTree stored) => Interlocked.CompareExchange(ref _root, stored.Load(), null) ?? _root;

    private static IEnumerable<RadixEntry> Walk(Func<NodeCursor> open)
    {
        for (var cursor = open(); cursor.MoveNext();) yield return cursor.Current;
    }
}
