using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Lenses;

/// <summary>
/// A place in the view of a schema version: a field, the row of a table or the element of an array. Its storage path is that of the row or element
/// it lies in (or the root) and then a chain of field ids, which rename, hoist and plunge leave alone (docs/protocol/operations.md §2.4).
/// </summary>
public sealed class ViewNode
{
    private readonly SortedDictionary<string, ViewNode> _fields = new(StringComparer.Ordinal);

    internal ViewNode(ViewNode? container, IReadOnlyList<FieldId> chain)
    {
        Container = container;
        Chain = chain;
        KeyCount = container is null ? 0 : container.KeyCount + 1;
        StorageDepth = (container is null ? 0 : container.StorageDepth + 1) + chain.Count;
    }

    /// <summary>What stands here.</summary>
    public Kind Kind { get; internal set; }

    /// <summary>The fields of a struct, in ordinal order of their names; empty for other kinds.</summary>
    public IReadOnlyDictionary<string, ViewNode> Fields => _fields;

    /// <summary>The row of a table or the element of an array; null for other kinds.</summary>
    public ViewNode? Element { get; internal set; }

    /// <summary>The innermost table or array that this place lies in; null outside of all.</summary>
    public ViewNode? Container { get; }

    /// <summary>The field ids from the row, element or root down to here.</summary>
    public IReadOnlyList<FieldId> Chain { get; }

    /// <summary>True for the row of a table and the element of an array themselves, where a put of null makes them exist.</summary>
    public bool IsRow => Container is not null && Chain.Count == 0;

    /// <summary>How many table keys and elements its storage path has.</summary>
    public int KeyCount { get; }

    /// <summary>How many segments its storage path has.</summary>
    public int StorageDepth { get; }

    /// <summary>
    /// The storage path with these keys and elements, from the outside in; as many as <see cref="KeyCount"/>.
    /// A path past the limits is a <see cref="TlfsException"/> with <see cref="Reason.TooLarge"/>.
    /// </summary>
    public StoragePath Storage(IReadOnlyList<Segment> keys)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Count, KeyCount);
        var segments = new Segment[StorageDepth];
        var end = segments.Length;
        for (var node = this; node is not null; node = node.Container)
        {
            for (var i = node.Chain.Count - 1; i >= 0; i--) segments[--end] = Segment.Of(node.Chain[i]);
            if (node.Container is not null) segments[--end] = keys[node.KeyCount - 1];
        }

        return StoragePath.Of(segments);
    }

    /// <summary>Whose field, row or element this is in the view; null for the root.</summary>
    internal ViewNode? Parent { get; private set; }

    /// <summary>The field's name; null for rows, elements and the root.</summary>
    internal string? Name { get; private set; }

    /// <summary>The rows and elements on the way down to this place, from the outside in, this one included.</summary>
    internal IEnumerable<ViewNode> Rows()
    {
        var rows = new Stack<ViewNode>();
        for (var node = this; node.Container is { } container; node = container) rows.Push(container.Element!);
        return rows;
    }

    /// <summary>True if this is the other place or below it.</summary>
    internal bool IsAtOrBelow(ViewNode other)
    {
        for (var node = this; node is not null; node = node.Parent)
            if (node == other) return true;
        return false;
    }

    /// <summary>Tells what is below where it is, once nothing moves any more.</summary>
    internal void Settle()
    {
        foreach (var (name, field) in _fields)
        {
            (field.Parent, field.Name) = (this, name);
            field.Settle();
        }

        if (Element is null) return;
        Element.Parent = this;
        Element.Settle();
    }

    internal bool TryAdd(string name, ViewNode field) => _fields.TryAdd(name, field);

    internal ViewNode? Take(string name) => _fields.Remove(name, out var field) ? field : null;

    internal ViewNode? Field(string name) => _fields.GetValueOrDefault(name);

    /// <summary>How many levels of the view lie below.</summary>
    internal int Height() => Element is not null ? 1 + Element.Height() : _fields.Count == 0 ? 0 : 1 + _fields.Values.Max(field => field.Height());
}
