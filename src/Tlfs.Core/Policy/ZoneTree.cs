using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// Which zone lies in which, as the structural zoneCreates say (docs/protocol/statements.md §6.1). It only grows. Acyclic because a zone can
/// only be put below one that is there. Immutable.
/// </summary>
public sealed class ZoneTree
{
    private static readonly Place Top = new(default, ZoneId.Root, 0, ZoneId.Root);

    private readonly ImmutableDictionary<ZoneId, Place> _places;
    private readonly ImmutableDictionary<ZoneId, ImmutableSortedSet<ZoneId>> _children;

    private ZoneTree(ImmutableDictionary<ZoneId, Place> places, ImmutableDictionary<ZoneId, ImmutableSortedSet<ZoneId>> children)
    {
        _places = places;
        _children = children;
    }

    /// <summary>Zone 0 alone.</summary>
    public static ZoneTree RootOnly { get; } =
        new(ImmutableDictionary<ZoneId, Place>.Empty, ImmutableDictionary<ZoneId, ImmutableSortedSet<ZoneId>>.Empty);

    /// <summary>Zones in the tree, zone 0 not counted.</summary>
    public int Count => _places.Count;

    /// <summary>True if the zone is in the tree; zone 0 always is.</summary>
    public bool Contains(ZoneId zone) => PlaceOf(zone) is not null;

    /// <summary>Steps from zone 0; null for a zone that is not in the tree.</summary>
    public int? Depth(ZoneId zone) => PlaceOf(zone)?.Depth;

    /// <summary>The zone that a zone lies in; null for zone 0 and for a zone that is not in the tree.</summary>
    public ZoneId? Parent(ZoneId zone) => _places.TryGetValue(zone, out var place) ? place.Parent : null;

    /// <summary>The zoneCreate that made a zone; null for zone 0 and for a zone that is not in the tree.</summary>
    public EnvelopeId? Creation(ZoneId zone) => _places.TryGetValue(zone, out var place) ? place.Creation : null;

    /// <summary>The zones directly below a zone, ascending.</summary>
    public IReadOnlyCollection<ZoneId> Children(ZoneId zone) => _children.GetValueOrDefault(zone, []);

    /// <summary>All zones below a zone, each after the one it lies in, in the same order on all replicas.</summary>
    public IReadOnlyList<ZoneId> Descendants(ZoneId zone)
    {
        var below = new List<ZoneId>(Children(zone));
        for (var i = 0; i < below.Count; i++) below.AddRange(Children(below[i]));
        return below;
    }

    /// <summary>True if <paramref name="upper"/> is <paramref name="lower"/> or one of the zones it lies in. Takes logarithmic time.</summary>
    public bool IsAtOrAbove(ZoneId upper, ZoneId lower)
    {
        if (PlaceOf(upper)?.Depth is not { } depth) return upper == lower;
        while (PlaceOf(lower) is { } place && place.Depth > depth) lower = PlaceOf(place.Jump)!.Depth >= depth ? place.Jump : place.Parent;
        return lower == upper;
    }

    /// <summary>This tree and a new zone below a known one.</summary>
    internal ZoneTree With(EnvelopeId creation, ZoneId parent)
    {
        var zone = creation.Zone;
        if (Contains(zone) || PlaceOf(parent) is not { } above) throw new ArgumentException("the zone must be new and its parent known", nameof(creation));
        return new(
            _places.Add(zone, new(creation, parent, above.Depth + 1, JumpFrom(parent, above))),
            _children.SetItem(parent, _children.GetValueOrDefault(parent, []).Add(zone)));
    }

    // Each place also points far up, twice as far as before whenever two jumps of equal length meet, so that a way up has logarithmic length.
    private ZoneId JumpFrom(ZoneId parent, Place above)
    {
        var middle = PlaceOf(above.Jump)!;
        var far = PlaceOf(middle.Jump)!;
        return above.Depth - middle.Depth == middle.Depth - far.Depth ? middle.Jump : parent;
    }

    private Place? PlaceOf(ZoneId zone) => zone == ZoneId.Root ? Top : _places.GetValueOrDefault(zone);

    private sealed record Place(EnvelopeId Creation, ZoneId Parent, int Depth, ZoneId Jump);
}
