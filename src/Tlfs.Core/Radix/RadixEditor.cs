using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// One version of a tree that can be changed. What was made since the last snapshot is changed in place, anything older is copied along the
/// path. For one thread at a time; its snapshots are for any number.
/// </summary>
public sealed class RadixEditor
{
    private readonly NodeEditing _editing = new();
    private RadixTree? _snapshot;
    private RadixStore? _store;
    private int _version;

    /// <summary>Starts from a version, which does not change.</summary>
    public RadixEditor(RadixTree from) => Reset(from);

    /// <summary>The number of entries.</summary>
    public int Count => Root?.Count ?? 0;

    /// <inheritdoc cref="RadixTree.Hash" />
    public Bytes32 Hash => NodeHashing.Root(Root, []);

    private Node? Root => _editing.Root;

    /// <inheritdoc cref="RadixTree.TryGet" />
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlyMemory<byte> value) => NodeReading.TryGet(Root, key, out value);

    /// <inheritdoc cref="RadixTree.Contains" />
    public bool Contains(ReadOnlySpan<byte> key) => NodeReading.TryGet(Root, key, out _);

    /// <inheritdoc cref="RadixTree.CountUnder" />
    public int CountUnder(ReadOnlySpan<byte> prefix) => NodeReading.Locate(Root, prefix, out _)?.Count ?? 0;

    /// <summary>Like <see cref="RadixTree.Scan"/>; throws <see cref="InvalidOperationException"/> when the content changes meanwhile.</summary>
    public IEnumerable<RadixEntry> Scan(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(Root, prefix.Span));

    /// <summary>Like <see cref="RadixTree.ScanFrom"/>; throws <see cref="InvalidOperationException"/> when the content changes meanwhile.</summary>
    public IEnumerable<RadixEntry> ScanFrom(ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte> from) =>
        Walk(() => NodeCursor.From(Root, prefix.Span, from.Span));

    /// <summary>Like <see cref="RadixTree.ScanBack"/>; throws <see cref="InvalidOperationException"/> when the content changes meanwhile.</summary>
    public IEnumerable<RadixEntry> ScanBack(ReadOnlyMemory<byte> prefix) => Walk(() => NodeCursor.Under(Root, prefix.Span, descending: true));

    /// <inheritdoc cref="RadixTree.TryAt" />
    public bool TryAt(ReadOnlySpan<byte> prefix, int index, out RadixEntry entry) => NodeReading.TryAt(Root, prefix, index, out entry);

    /// <inheritdoc cref="RadixTree.Rank" />
    public int Rank(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key) => NodeReading.Rank(Root, prefix, key);

    /// <inheritdoc cref="RadixTree.HashUnder" />
    public Bytes32 HashUnder(ReadOnlySpan<byte> prefix)
    {
        var node = NodeReading.Locate(Root, prefix, out var start);
        return NodeHashing.Root(node, prefix[..start]);
    }

    /// <summary>Sets the value of a key. The bytes are copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The key is longer than <see cref="RadixTree.MaxKeyBytes"/>.</exception>
    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(key.Length, RadixTree.MaxKeyBytes);
        Changed();
        _editing.Set(key, value);
    }

    /// <summary>Removes a key; false when it is absent.</summary>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        if (!_editing.Remove(key)) return false;
        Changed();
        return true;
    }

    /// <summary>The current content as an immutable version. Takes no time, and later changes never show in it.</summary>
    public RadixTree Snapshot()
    {
        if (_snapshot is not null) return _snapshot;
        _editing.Freeze();
        return _snapshot = new(Root, _store);
    }

    /// <summary>Goes back, or over, to a version. Takes no time.</summary>
    public void Reset(RadixTree to)
    {
        _version++;
        _editing.Freeze();
        _editing.Root = to.Root;
        _store = to.Store ?? _store ?? new(null);
        _snapshot = to.Store is null ? null : to;
    }

    private void Changed()
    {
        _version++;
        _snapshot = null;
    }

    private IEnumerable<RadixEntry> Walk(Func<NodeCursor> open)
    {
        var version = _version;
        for (var cursor = open(); Next(cursor, version);) yield return cursor.Current;
    }

    private bool Next(NodeCursor cursor, int version) => version == _version
        ? cursor.MoveNext()
        : throw new InvalidOperationException("the tree was changed while its entries were enumerated");
}
