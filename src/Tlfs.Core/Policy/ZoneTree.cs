using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// Which zone lies in which. Statements of this version know zone 0 only, so documents have <see cref="RootOnly"/>; the evaluation is
/// written, and checked, for trees. A tree is acyclic because a zone can only be put below one that is there.
/// </summary>
public sealed class ZoneTree
{
    private readonly ImmutableDictionary<ZoneId, (ZoneId Parent, int Depth)> _zones;

    private ZoneTree(ImmutableDictionary<ZoneId, (ZoneId Parent, int Depth)> zones) => _zones = zones;

    /// <summary>Zone 0 alone.</summary>
    public static ZoneTree RootOnly { get; } = new(ImmutableDictionary<ZoneId, (ZoneId Parent, int Depth)>.Empty);

    /// <summary>This tree and a new zone below a known one.</summary>
    public ZoneTree With(ZoneId zone, ZoneId parent)
    {
        if (Depth(zone) is not null || Depth(parent) is not { } depth)
            throw new ArgumentException("the zone must be new and its parent known", nameof(zone));
        return new(_zones.Add(zone, (parent, depth + 1)));
    }

    /// <summary>Steps from zone 0; null for a zone that is not in the tree.</summary>
    public int? Depth(ZoneId zone)
    {
        if (zone == ZoneId.Root) return 0;
        return _zones.TryGetValue(zone, out var place) ? place.Depth : null;
    }

    /// <summary>True if <paramref name="upper"/> is <paramref name="lower"/> or one of the zones it lies in.</summary>
    public bool IsAtOrAbove(ZoneId upper, ZoneId lower)
    {
        while (lower != upper && _zones.TryGetValue(lower, out var place)) lower = place.Parent;
        return lower == upper;
    }
}
