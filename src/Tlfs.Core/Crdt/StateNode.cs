using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>A place in the tree of storage segments. It is there as long as an operation, live or not, stands at or under it.</summary>
internal sealed class StateNode(StateNode? parent, Segment segment)
{
    private static readonly SortedDictionary<Dot, Put> NoPuts = [];
    private static readonly SortedDictionary<Segment, StateNode> NoChildren = [];

    private SortedDictionary<Segment, StateNode>? _children;
    private SortedDictionary<Dot, Put>? _puts;
    private SortedSet<Placed>? _livePlaces;
    private SortedSet<Placed>? _places;
    private List<StateNode>? _shown;
    private Position? _shownAt;
    private int _operations;

    public Segment Segment => segment;

    /// <summary>Live puts at or under this place.</summary>
    public int LivePuts { get; private set; }

    /// <summary>The live puts at this very place, by dot.</summary>
    public IReadOnlyDictionary<Dot, Put> Puts => _puts ?? NoPuts;

    /// <summary>The places one segment below, in storage order.</summary>
    public IReadOnlyCollection<StateNode> Children => (_children ?? NoChildren).Values;

    /// <summary>The elements of an array that are shown, in their order.</summary>
    public IReadOnlyList<StateNode> Shown => _shown ?? (IReadOnlyList<StateNode>)[];

    /// <summary>The live dots that place this element, ascending.</summary>
    public IReadOnlyCollection<Placed> LivePlaces => _livePlaces ?? (IReadOnlyCollection<Placed>)[];

    /// <summary>What decides this element's position (operations.md §4.3): the greatest live place, else the greatest place.</summary>
    public Placed? DecidingPlace => _livePlaces is { Count: > 0 } ? _livePlaces.Max : _places is { Count: > 0 } ? _places.Max : null;

    /// <summary>The position of a shown element.</summary>
    public Position Position => _shownAt ?? throw new InvalidOperationException("the element is not shown");

    public StateNode? Child(Segment key) => _children?.GetValueOrDefault(key);

    public StateNode ChildOrNew(Segment key)
    {
        _children ??= [];
        if (!_children.TryGetValue(key, out var child)) _children.Add(key, child = new(this, key));
        return child;
    }

    /// <summary>Notes that an operation stands here, which keeps the node in the tree.</summary>
    public void Attach() => _operations++;

    /// <summary>Undoes <see cref="Attach"/> and takes out the nodes at which and under which nothing stands any more.</summary>
    public void Detach()
    {
        _operations--;
        for (var node = this; node is { _operations: 0, _children: null or { Count: 0 }, Parent: { } above }; node = above)
            above._children!.Remove(node.Segment);
    }

    public void Add(Dot dot, Put put)
    {
        (_puts ??= []).Add(dot, put);
        Count(1);
    }

    public void Take(Dot dot)
    {
        if (!_puts!.Remove(dot)) throw new InvalidOperationException("a put was live and is not there");
        Count(-1);
    }

    public void AddPlace(Placed place)
    {
        (_places ??= []).Add(place);
        Show();
    }

    public void TakePlace(Placed place)
    {
        _places!.Remove(place);
        Show();
    }

    public void SetPlaceLive(Placed place, bool live)
    {
        _livePlaces ??= [];
        if (live) _livePlaces.Add(place);
        else _livePlaces.Remove(place);
        Show();
    }

    private StateNode? Parent => parent;

    private void Count(int change)
    {
        for (var node = this; node is not null; node = node.Parent)
        {
            var before = node.LivePuts;
            node.LivePuts += change;
            if ((before == 0 || node.LivePuts == 0) && node.Segment.Kind == SegmentKind.Element) node.Show();
        }
    }

    /// <summary>Moves this element to where it belongs among the shown elements of its array, or takes it out.</summary>
    private void Show()
    {
        Position? wanted = LivePuts > 0 ? DecidingPlace?.Place.Position : null;
        if (wanted == _shownAt) return;
        var list = parent!._shown ??= [];
        if (_shownAt is not null) list.RemoveAt(list.BinarySearch(this, ByPosition.Instance));
        _shownAt = wanted;
        if (wanted is not null) list.Insert(~list.BinarySearch(this, ByPosition.Instance), this);
    }

    private sealed class ByPosition : IComparer<StateNode>
    {
        public static ByPosition Instance { get; } = new();

        public int Compare(StateNode? x, StateNode? y)
        {
            var order = x!.Position.CompareTo(y!.Position);
            return order == 0 ? x.Segment.CompareTo(y.Segment) : order;
        }
    }
}

/// <summary>A place operation under its dot, by which it is ordered.</summary>
internal sealed record Placed(Dot Dot, Place Place) : IComparable<Placed>
{
    public int CompareTo(Placed? other) => other is null ? 1 : Dot.CompareTo(other.Dot);
}
