using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// A map from bytes to bytes, ordered by key: one immutable version. Versions share what they have in common, so keeping one costs nothing.
/// A key that is a prefix of another comes before it. Safe for any number of concurrent readers.
/// </summary>
public sealed class RadixTree
{
    /// <summary>The longest key, in bytes.</summary>
    public const int MaxKeyBytes = 2048;

    private readonly Node? _root;

    internal RadixTree(Node? root) => _root = root;

    /// <summary>The tree without entries.</summary>
    public static RadixTree Empty { get; } = new((Node?)null);

    /// <summary>The number of entries.</summary>
    public int Count => _root?.Count ?? 0;

    /// <summary>The Merkle hash: a function of the set of entries only, never of how they came here (docs/protocol/encoding.md §8).</summary>
    public Bytes32 Hash => NodeHashing.Root(_root, []);

    internal Node? Root => _root;

    /// <summary>Finds the value of a key.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlyMemory<byte> value) => NodeReading.TryGet(_root, key, out value);

    /// <summary>True when the key has a value.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => NodeReading.TryGet(_root, key, out _);

    /// <summary>How many keys start with the prefix, without visiting them.</summary>
    public int CountUnder(ReadOnlySpan<byte> prefix) => NodeReading.Locate(_root, prefix, out _)?.Count ?? 0;

    /// <summary>The entries whose keys start with the prefix, ascending by the unsigned bytes of their keys.</summary>
    public IEnumerable<RadixEntry> Scan(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(_root, prefix.Span));

    /// <summary>Like <see cref="Scan"/>, without the keys below <paramref name="from"/>, which is a whole key that need not exist.</summary>
    public IEnumerable<RadixEntry> ScanFrom(ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte> from) =>
        Walk(() => NodeCursor.From(_root, prefix.Span, from.Span));

    /// <summary>The entries whose keys start with the prefix, descending.</summary>
    public IEnumerable<RadixEntry> ScanBack(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(_root, prefix.Span, descending: true));

    /// <summary>Finds the entry with exactly <paramref name="index"/> smaller ones under the prefix; false when there is none.</summary>
    public bool TryAt(ReadOnlySpan<byte> prefix, int index, out RadixEntry entry) => NodeReading.TryAt(_root, prefix, index, out entry);

    /// <summary>How many keys under the prefix are smaller than this one, which need not exist.</summary>
    public int Rank(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key) => NodeReading.Rank(_root, prefix, key);

    /// <summary>The <see cref="Hash"/> of a tree that holds exactly the entries under the prefix, with their whole keys.</summary>
    public Bytes32 HashUnder(ReadOnlySpan<byte> prefix)
    {
        var node = NodeReading.Locate(_root, prefix, out var start);
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

    private static IEnumerable<RadixEntry> Walk(Func<NodeCursor> open)
    {
        for (var cursor = open(); cursor.MoveNext();) yield return cursor.Current;
    }
}
