using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>A live value and the operation that put it.</summary>
/// <param name="Dot">The operation.</param>
/// <param name="Value">The value.</param>
public readonly record struct LivePut(Dot Dot, Value Value);

/// <summary>
/// The state of a document: a function of the set of applied parts, whatever their order (docs/protocol/operations.md §4). It does not know schemas;
/// whoever applies a part has checked it before. Everything lies in one radix tree, so a version of it costs nothing to keep, two versions are
/// compared in time proportional to what differs, and a part of it can be read from disk without the rest. Not safe for use by several threads at once.
/// </summary>
public sealed partial class DocumentState
{
    private readonly RadixEditor _tree;
    private readonly IOperationSource _source;
    private readonly PartNumbers _parts;
    private readonly ElementOrder _order;

    /// <summary>An empty state that keeps what is applied in memory.</summary>
    public DocumentState()
        : this(new(RadixTree.Empty), null)
    {
    }

    internal DocumentState(RadixEditor tree, IOperationSource? source)
    {
        _tree = tree;
        _source = source ?? new KeptOperations();
        _parts = new(tree);
        _order = new(tree, _parts);
    }

    /// <summary>The number of live puts.</summary>
    public int EntryCount => _tree.CountUnder([(byte)StateTag.Live]);

    /// <summary>True if the part is applied.</summary>
    public bool IsApplied(EnvelopeId envelope, ushort part) => _parts.Applied(envelope, part) != 0;

    /// <summary>
    /// Applies a part whose operations fit their schema. The list is kept, and must not change; null stands for an operation that is not known here. False,
    /// and nothing done, if the part is applied already.
    /// </summary>
    public bool Apply(EnvelopeId envelope, ushort part, IReadOnlyList<Operation?> operations)
    {
        var (number, applied) = _parts.Of(envelope, part);
        if (applied) return false;
        _parts.SetApplied(envelope, part, number, true);
        Add(envelope, part, number, [], operations);
        return true;
    }

    /// <summary>Adds what was not known when a part was applied with holes.</summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="part">The applied part.</param>
    /// <param name="before">What was applied.</param>
    /// <param name="operations">All that is known now; <paramref name="before"/> is among it.</param>
    internal void Complete(EnvelopeId envelope, ushort part, IReadOnlyList<Operation?> before, IReadOnlyList<Operation?> operations) =>
        Add(envelope, part, _parts.Applied(envelope, part), before, operations);

    private void Add(EnvelopeId envelope, ushort part, uint number, IReadOnlyList<Operation?> before, IReadOnlyList<Operation?> operations)
    {
        (_source as KeptOperations)?.Keep(envelope, part, operations);
        var prefix = PartNumbers.Prefix(envelope);
        var mayBeRemoved = IsNamedByRemoves(prefix, number);
        for (var i = 0; i < operations.Count; i++)
            if (operations[i] is { } operation && (i >= before.Count || before[i] is null)) Add(new(prefix, number, (ushort)i), operation, mayBeRemoved);
    }

    /// <summary>
    /// Takes a part back that has become void: afterwards the state is as if it had never been applied. False if it is not applied.
    /// </summary>
    public bool Unapply(EnvelopeId envelope, ushort part)
    {
        var number = _parts.Applied(envelope, part);
        if (number == 0) return false;
        var operations = _source.Operations(envelope, part);
        _parts.SetApplied(envelope, part, number, false);
        var prefix = PartNumbers.Prefix(envelope);
        for (var i = operations.Count - 1; i >= 0; i--)
            if (operations[i] is { } operation) Withdraw(new(prefix, number, (ushort)i), operation);
        return true;
    }

    internal RadixTree Snapshot() => _tree.Snapshot();

    internal void Reset(RadixTree to)
    {
        _tree.Reset(to);
        _parts.Forget();
    }

    internal void Add(LocalDot dot, Operation operation, bool mayBeRemoved = false)
    {
        switch (operation)
        {
            case Put put:
                if (!mayBeRemoved || !IsRemoved(dot, put.Path)) Enter(put, dot);
                break;
            case Place place:
                var live = !mayBeRemoved || !IsRemoved(dot, place.Path);
                _order.Change(place.Path.Bytes, place, dot, null, live, Exists(place.Path.Bytes, place.Element));
                break;
            case Remove remove:
                var below = PutsBelow(remove);
                foreach (var named in remove.Dots) AddRemoval(named, remove.Path, dot, below);
                break;
        }
    }

    internal void Withdraw(LocalDot dot, Operation operation)
    {
        switch (operation)
        {
            case Put put: Leave(put.Path, dot); break;
            case Place place:
                var live = _order.IsLive(place.Path.Bytes, place.Element, dot);
                _order.Change(place.Path.Bytes, place, dot, live, null, Exists(place.Path.Bytes, place.Element));
                break;
            case Remove remove:
                foreach (var named in remove.Dots) WithdrawRemoval(named, remove.Path, dot);
                break;
        }
    }

    private void Enter(Put put, LocalDot dot)
    {
        var path = put.Path.Bytes;
        var inner = InnermostElement(put.Path);
        var shown = inner == 0 || CountAt(path[..inner]) > 0;
        _tree.Set(LiveKey(path, dot, stackalloc byte[StateKey.Size(path)]), StoredValue.Encode(put.Value));
        if (!shown) ShowElements(put.Path, 1, true);
    }

    private void Leave(StoragePath path, LocalDot dot)
    {
        if (!_tree.Remove(LiveKey(path.Bytes, dot, stackalloc byte[StateKey.Size(path.Bytes)]))) return;
        var inner = InnermostElement(path);
        if (inner != 0 && CountAt(path.Bytes[..inner]) == 0) ShowElements(path, 0, false);
    }

    // Shows or hides the elements on the path, from the inside out, as far as this one put decided about them.
    private void ShowElements(StoragePath path, int countThen, bool shown)
    {
        var end = path.Bytes.Length;
        for (var i = path.Segments.Count - 1; i >= 0; i--)
        {
            var segment = path.Segments[i];
            var start = end - segment.EncodedBytes;
            if (segment.Kind == SegmentKind.Element)
            {
                if (CountAt(path.Bytes[..end]) != countThen) return;
                _order.Show(path.Bytes[..start], segment.Element, shown);
            }

            end = start;
        }
    }

    // Where the innermost element on the path ends, in bytes; 0 if there is none.
    private static int InnermostElement(StoragePath path)
    {
        var end = path.Bytes.Length;
        for (var i = path.Segments.Count - 1; i >= 0; i--)
        {
            if (path.Segments[i].Kind == SegmentKind.Element) return end;
            end -= path.Segments[i].EncodedBytes;
        }

        return 0;
    }

    private void AddRemoval(Dot named, StoragePath path, LocalDot remover, Dictionary<LocalDot, StoragePath>? below)
    {
        // No operation has such a number, so the dot names nothing.
        if (named.Index >= Limits.Operations) return;
        var (number, applied) = _parts.Of(named.Envelope, named.Part);
        var dot = new LocalDot(PartNumbers.Prefix(named.Envelope), number, (ushort)named.Index);
        if (_tree.Contains(LiveKey(path.Bytes, dot, stackalloc byte[StateKey.Size(path.Bytes)])))
        {
            Leave(path, dot);
            _tree.Set(RemovalKey(dot, remover, stackalloc byte[StateKey.Size([])]), []);
            return;
        }

        if (below?.GetValueOrDefault(dot) is { } at) Leave(at, dot);
        else if (applied && !IsRemovedInPlace(dot)) End(Operation(named), dot, path);
        _tree.Set(RemovalKey(dot, remover, stackalloc byte[StateKey.Size([])]), [1, .. path.Bytes]);
    }

    // Who removes a row names what is in it, so reading that is faster than opening all the parts that it came from.
    private Dictionary<LocalDot, StoragePath>? PutsBelow(Remove remove)
    {
        var puts = CountAt(remove.Path.Bytes);
        return remove.Dots.Count > 1 && puts <= (2 * remove.Dots.Count) + 64 ? PathsOfPuts(remove.Path) : null;
    }

    private void WithdrawRemoval(Dot named, StoragePath path, LocalDot remover)
    {
        if (named.Index >= Limits.Operations) return;
        var (number, applied) = _parts.Of(named.Envelope, named.Part);
        var dot = new LocalDot(PartNumbers.Prefix(named.Envelope), number, (ushort)named.Index);
        if (!_tree.Remove(RemovalKey(dot, remover, stackalloc byte[StateKey.Size([])])) || !applied) return;
        switch (Operation(named))
        {
            case Put put when path.Contains(put.Path) && !IsRemoved(dot, put.Path): Enter(put, dot); break;
            case Place place when path.Contains(place.Path) && !IsRemoved(dot, place.Path):
                _order.Change(place.Path.Bytes, place, dot, false, true, Exists(place.Path.Bytes, place.Element));
                break;
        }
    }

    // Ends the life of a put or place that a remove at or above its path names.
    private void End(Operation? operation, LocalDot dot, StoragePath path)
    {
        switch (operation)
        {
            case Put put when path.Contains(put.Path): Leave(put.Path, dot); break;
            case Place place when path.Contains(place.Path) && _order.IsLive(place.Path.Bytes, place.Element, dot) == true:
                _order.Change(place.Path.Bytes, place, dot, true, false, Exists(place.Path.Bytes, place.Element));
                break;
        }
    }

    private bool IsRemoved(LocalDot dot, StoragePath path)
    {
        foreach (var removal in _tree.Scan(new StateKey(stackalloc byte[StateKey.Size([])], StateTag.Removal, []).Dot(dot).Bytes.ToArray()))
            if (removal.Value.IsEmpty || path.Bytes.StartsWith(removal.Value.Span[1..])) return true;
        return false;
    }

    // A remove at the very path of the operation has ended it already.
    private bool IsRemovedInPlace(LocalDot dot) =>
        _tree.Scan(new StateKey(stackalloc byte[StateKey.Size([])], StateTag.Removal, []).Dot(dot).Bytes.ToArray()).Any(removal => removal.Value.IsEmpty);

    private bool IsNamedByRemoves(ulong prefix, uint number)
    {
        Span<byte> key = stackalloc byte[1 + LocalDot.Size];
        key[0] = (byte)StateTag.Removal;
        new LocalDot(prefix, number, 0).CopyTo(key[1..]);
        return _tree.CountUnder(key[..^sizeof(ushort)]) > 0;
    }

    private Operation? Operation(Dot dot) =>
        _source.Operations(dot.Envelope, dot.Part) is var operations && dot.Index < operations.Count ? operations[(int)dot.Index] : null;

    private int CountAt(ReadOnlySpan<byte> path) => _tree.CountUnder(new StateKey(stackalloc byte[StateKey.Size(path)], StateTag.Live, path).Bytes);

    private bool Exists(ReadOnlySpan<byte> array, Uid element) =>
        _tree.CountUnder(new StateKey(stackalloc byte[StateKey.Size(array)], StateTag.Live, array).Segment(Segment.Of(element)).Bytes) > 0;

    private static ReadOnlySpan<byte> LiveKey(ReadOnlySpan<byte> path, LocalDot dot, Span<byte> buffer) =>
        new StateKey(buffer, StateTag.Live, path).End().Dot(dot).Bytes;

    private static ReadOnlySpan<byte> RemovalKey(LocalDot dot, LocalDot remover, Span<byte> buffer) =>
        new StateKey(buffer, StateTag.Removal, []).Dot(dot).Dot(remover).Bytes;

    private sealed class KeptOperations : IOperationSource
    {
        private readonly Dictionary<(EnvelopeId Envelope, ushort Part), IReadOnlyList<Operation?>> _parts = [];

        public void Keep(EnvelopeId envelope, ushort part, IReadOnlyList<Operation?> operations) => _parts[(envelope, part)] = operations;

        public IReadOnlyList<Operation?> Operations(EnvelopeId envelope, ushort part) => _parts[(envelope, part)];
    }
}
