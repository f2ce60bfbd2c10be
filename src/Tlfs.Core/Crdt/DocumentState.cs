using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>A live value and the operation that put it.</summary>
/// <param name="Dot">The operation.</param>
/// <param name="Value">The value.</param>
public readonly record struct LivePut(Dot Dot, Value Value);

/// <summary>
/// The state of a document: a function of the set of applied parts, whatever their order (docs/protocol/operations.md §4). It does not know schemas;
/// whoever applies a part has checked it before. Not safe for use by several threads at once.
/// </summary>
public sealed class DocumentState
{
    private readonly Dictionary<(EnvelopeId Envelope, ushort Part), IReadOnlyList<Operation>> _parts = [];
    private readonly Dictionary<Dot, Entry> _entries = [];
    private readonly Dictionary<Dot, List<StoragePath>> _removals = [];

    /// <summary>The number of live puts.</summary>
    public int EntryCount => Root.LivePuts;

    internal StateNode Root { get; } = new(null, default);

    /// <summary>True if the part is applied.</summary>
    public bool IsApplied(EnvelopeId envelope, ushort part) => _parts.ContainsKey((envelope, part));

    /// <summary>
    /// Applies a part whose operations fit their schema. The list is kept, and must not change. False, and nothing done, if the part is applied already.
    /// </summary>
    public bool Apply(EnvelopeId envelope, ushort part, IReadOnlyList<Operation> operations)
    {
        if (!_parts.TryAdd((envelope, part), operations)) return false;
        for (var i = 0; i < operations.Count; i++) Add(new(envelope, part, (uint)i), operations[i]);
        return true;
    }

    /// <summary>
    /// Takes a part back that has become void: afterwards the state is as if it had never been applied. False if it is not applied.
    /// </summary>
    public bool Unapply(EnvelopeId envelope, ushort part)
    {
        if (!_parts.Remove((envelope, part), out var operations)) return false;
        for (var i = operations.Count - 1; i >= 0; i--) Withdraw(new(envelope, part, (uint)i), operations[i]);
        return true;
    }

    /// <summary>True if a live put is at or under the path: then a row or element exists.</summary>
    public bool Exists(StoragePath path) => Find(path)?.LivePuts > 0;

    /// <summary>The live puts at the path, by dot.</summary>
    public IReadOnlyList<LivePut> Puts(StoragePath path) =>
        Find(path) is { } node ? [.. node.Puts.Select(put => new LivePut(put.Key, put.Value.Value))] : [];

    /// <summary>The keys and elements under the path that exist, in storage order. For an array's order ask <see cref="Elements"/>.</summary>
    public IReadOnlyList<Segment> Keys(StoragePath path) =>
        Find(path) is { } node ? [.. node.Children.Where(child => child.LivePuts > 0).Select(child => child.Segment)] : [];

    /// <summary>The elements of the array at the path that are shown, in order.</summary>
    public IReadOnlyList<Uid> Elements(StoragePath path) =>
        Find(path) is { } node ? [.. node.Shown.Select(element => element.Segment.Element)] : [];

    /// <summary>The dots of all live puts at or under the path, and of all live places of arrays at or under it, ascending.</summary>
    public IReadOnlyList<Dot> LiveDots(StoragePath path)
    {
        var dots = new List<Dot>();
        if (Find(path) is { } node) Walk(node, below => dots.AddRange([.. below.Puts.Keys, .. below == node ? [] : below.LivePlaces.Select(place => place.Dot)]));
        dots.Sort();
        return dots;
    }

    /// <summary>
    /// A chain of SHA-256 over the live puts and each element's deciding place, in storage order: equal on replicas whose states mean the same. Takes
    /// time proportional to the state; for tests and checks.
    /// </summary>
    public Bytes32 StateHash()
    {
        var hash = default(Bytes32);
        Walk(Root, node =>
        {
            foreach (var (dot, put) in node.Puts) hash = Chain(hash, dot, put);
            if (node.DecidingPlace is { } place) hash = Chain(hash, place.Dot, place.Place);
        });
        return hash;
    }

    internal StateNode? Find(StoragePath path)
    {
        var node = Root;
        for (var i = 0; i < path.Segments.Count && node is not null; i++) node = node.Child(path.Segments[i]);
        return node;
    }

    /// <summary>Calls back for a node and all below it, in storage order.</summary>
    internal static void Walk(StateNode node, Action<StateNode> visit)
    {
        visit(node);
        foreach (var child in node.Children) Walk(child, visit);
    }

    internal void Add(Dot dot, Operation operation)
    {
        switch (operation)
        {
            case Put put: Enter(new(dot, put, put.Path, NodeAt(put.Path))); break;
            case Place place: Enter(new(dot, place, place.Path, NodeAt(place.Path).ChildOrNew(Segment.Of(place.Element)))); break;
            case Remove remove:
                foreach (var named in remove.Dots) AddRemoval(named, remove.Path);
                break;
        }
    }

    internal void Withdraw(Dot dot, Operation operation)
    {
        switch (operation)
        {
            case Put or Place: Leave(dot); break;
            case Remove remove:
                foreach (var named in remove.Dots) WithdrawRemoval(named, remove.Path);
                break;
        }
    }

    private void Enter(Entry entry)
    {
        // What is pending in an edit has the zero id; a remove from outside that names it must not hide it.
        if (!entry.Dot.Envelope.Value.IsZero && _removals.TryGetValue(entry.Dot, out var removals)) entry.Removals = removals.Count(path => path.Contains(entry.Path));
        _entries.Add(entry.Dot, entry);
        entry.Node.Attach();
        if (entry.Placed is { } place) entry.Node.AddPlace(place);
        if (entry.IsLive) entry.SetLive(true);
    }

    private void Leave(Dot dot)
    {
        if (!_entries.Remove(dot, out var entry)) throw new InvalidOperationException("an applied operation is not there");
        if (entry.IsLive) entry.SetLive(false);
        if (entry.Placed is { } place) entry.Node.TakePlace(place);
        entry.Node.Detach();
    }

    private void AddRemoval(Dot dot, StoragePath path)
    {
        if (!_removals.TryGetValue(dot, out var paths)) _removals.Add(dot, paths = new(1));
        paths.Add(path);
        if (!_entries.TryGetValue(dot, out var entry) || !path.Contains(entry.Path)) return;
        if (entry.IsLive) entry.SetLive(false);
        entry.Removals++;
    }

    private void WithdrawRemoval(Dot dot, StoragePath path)
    {
        var paths = _removals[dot];
        paths.Remove(path);
        if (paths.Count == 0) _removals.Remove(dot);
        if (!_entries.TryGetValue(dot, out var entry) || !path.Contains(entry.Path)) return;
        entry.Removals--;
        if (entry.IsLive) entry.SetLive(true);
    }

    private StateNode NodeAt(StoragePath path)
    {
        var node = Root;
        foreach (var segment in path.Segments) node = node.ChildOrNew(segment);
        return node;
    }

    private static Bytes32 Chain(Bytes32 hash, Dot dot, Operation operation)
    {
        Span<byte> name = stackalloc byte[Bytes32.Size + 6];
        dot.Envelope.Value.CopyTo(name);
        BinaryPrimitives.WriteUInt16BigEndian(name[Bytes32.Size..], dot.Part);
        BinaryPrimitives.WriteUInt32BigEndian(name[(Bytes32.Size + 2)..], dot.Index);
        return Hashing.Sha256([.. hash.ToArray(), .. name, .. operation.Encode()]);
    }

    /// <summary>A put or place that is applied, live or not: provenance is kept, so that a removal can be undone.</summary>
    private sealed class Entry(Dot dot, Operation operation, StoragePath path, StateNode node)
    {
        public Dot Dot => dot;

        public StoragePath Path => path;

        public StateNode Node => node;

        public Placed? Placed { get; } = operation is Place place ? new(dot, place) : null;

        /// <summary>How many applied removes at or above the path name the dot.</summary>
        public int Removals { get; set; }

        public bool IsLive => Removals == 0;

        public void SetLive(bool live)
        {
            if (Placed is not null) node.SetPlaceLive(Placed, live);
            else if (live) node.Add(dot, (Put)operation);
            else node.Take(dot);
        }
    }
}
