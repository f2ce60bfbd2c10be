using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>
/// The difference between two versions of a state as a schema version shows it, in time proportional to it. What an inserted or removed row holds is not
/// told again. Removes come first, the innermost and then the last index first; then the others, the outermost and then the first index first: so a
/// copy of an array stays one if elements that moved are taken out with the removes and put in with the inserts.
/// </summary>
internal sealed class StateDiff
{
    private readonly SchemaView _view;
    private readonly RadixTree _olderTree;
    private readonly RadixTree _newerTree;
    private readonly DocumentState _older;
    private readonly DocumentState _newer;
    private readonly Location? _within;
    private readonly HashSet<(StoragePath Path, bool IsMove)> _told = [];
    private readonly List<(StoragePath Path, int Index, StateChange Change)> _removed = [];
    private readonly List<(StoragePath Path, int Index, StateChange Change)> _changed = [];

    private StateDiff(SchemaView view, RadixTree older, RadixTree newer, Location? within)
    {
        _view = view;
        (_olderTree, _newerTree) = (older, newer);
        _older = new(new(older), null);
        _newer = new(new(newer), null);
        _within = within;
    }

    /// <summary>The differences at and below a place, or all.</summary>
    public static IReadOnlyList<StateChange> Between(SchemaView view, RadixTree older, RadixTree newer, Location? within = null)
    {
        var diff = new StateDiff(view, older, newer, within);
        diff.ComparePuts();
        diff.ComparePlaces();
        diff._removed.Sort((left, right) => Order(right, left));
        diff._changed.Sort(Order);
        return [.. diff._removed.Concat(diff._changed).Select(each => each.Change)];
    }

    private static int Order((StoragePath Path, int Index, StateChange Change) left, (StoragePath Path, int Index, StateChange Change) right)
    {
        var order = left.Path.Segments.Count.CompareTo(right.Path.Segments.Count);
        if (order == 0) order = left.Index.CompareTo(right.Index);
        if (order == 0) order = (left.Change.Kind == ChangeKind.Update).CompareTo(right.Change.Kind == ChangeKind.Update);
        return order == 0 ? left.Path.CompareTo(right.Path) : order;
    }

    private void ComparePuts()
    {
        ReadOnlyMemory<byte> last = default;
        foreach (var change in RadixTree.Diff(_olderTree, _newerTree, new[] { (byte)StateTag.Live }))
        {
            var bytes = change.Key[1..^(LocalDot.Size + 1)];
            if (bytes.Span.SequenceEqual(last.Span) && !last.IsEmpty) continue;
            last = bytes;
            if (!StoragePath.TryDecode(bytes.Span, out var path, out _) || _view.Find(path) is not { } node) continue;
            var remover = change.After is null ? _newer.RemoverOf(LocalDot.From(change.Key.Span[^LocalDot.Size..])) : null;
            if (TellRow(path, node, remover) || node.Kind.IsContainer || node.Kind.Code == KindCode.Null) continue;
            Tell(ChangeKind.Update, path, node, _newer.Exists(path) ? _newer.LastAt(path) : remover);
        }
    }

    private void ComparePlaces()
    {
        var moved = RadixTree.Diff(_olderTree, _newerTree, new[] { (byte)StateTag.Order }).Select(ElementOf).Distinct()
            .GroupBy(path => path.Parent);
        foreach (var array in moved)
        {
            foreach (var uid in ElementMoves.Needed(_older, _newer, array.Key, [.. array.Select(path => path.Segments[^1].Element)]))
            {
                var path = array.Key.Append(Segment.Of(uid));
                if (_view.Find(path) is { } node && !TellRow(path, node, null)) Tell(ChangeKind.Move, path, node, _newer.Placed(array.Key, uid));
            }
        }
    }

    /// <summary>Tells of the outermost row or element on the path that is only in one of the versions; true if there is one, or none in both.</summary>
    private bool TellRow(StoragePath path, ViewNode node, EnvelopeId? remover)
    {
        foreach (var view in node.Rows())
        {
            var row = StoragePath.Of([.. path.Segments.Take(view.StorageDepth)]);
            var (before, now) = (_older.Shows(row), _newer.Shows(row));
            if (before && now) continue;
            if (now) Tell(ChangeKind.Insert, row, view, _newer.LastAt(row));
            else if (before) Tell(ChangeKind.Remove, row, view, remover);
            return true;
        }

        return false;
    }

    private void Tell(ChangeKind kind, StoragePath path, ViewNode node, EnvelopeId? envelope)
    {
        if (!_told.Add((path, kind == ChangeKind.Move)) || !IsWithin(path, node)) return;
        var keys = path.Keys;
        var state = kind == ChangeKind.Remove ? _older : _newer;
        var at = Location.Of(_view, state, node, keys);
        var from = kind == ChangeKind.Move ? Location.Of(_view, _older, node, keys).Text : null;
        var index = path.Segments is [.., { Kind: SegmentKind.Element } element] ? state.IndexOf(path.Parent, element.Element) : 0;
        (kind == ChangeKind.Remove ? _removed : _changed).Add((path, index, new(kind, at.Text, JsonView.Of(state, at), from, envelope)));
    }

    private bool IsWithin(StoragePath path, ViewNode node)
    {
        if (_within is null) return true;

        // A row that holds the place and comes or goes takes the place with it.
        var (upper, lower) = node.IsAtOrBelow(_within.Node) ? (_within.Node, node) : (node, _within.Node);
        return lower.IsAtOrBelow(upper) && _within.Keys.Zip(path.Keys).All(pair => pair.First == pair.Second);
    }

    private static StoragePath ElementOf(RadixChange change)
    {
        var rest = change.Key.Span[1..];
        var segments = new List<Segment>();
        while (rest[0] != 0)
        {
            if (!Segment.TryRead(rest, out var segment, out var used)) throw new InvalidOperationException("not a segment");
            segments.Add(segment);
            rest = rest[used..];
        }

        segments.Add(Segment.Of(StateKey.ReadOrder(rest[1..]).Element));
        return StoragePath.Of(segments);
    }
}
