using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Documents;

/// <summary>The operations of an edit that go into one part.</summary>
/// <param name="Zone">The part's zone.</param>
/// <param name="Operations">The operations, in their order.</param>
/// <param name="Origins">Of each, its place in the edit.</param>
internal sealed record ZonePart(ZoneId Zone, List<Operation> Operations, List<int> Origins);

/// <summary>Where the zones of a document lie, as far as this account knows (docs/protocol/statements.md §6.3).</summary>
internal sealed class ZoneMap
{
    private readonly Dictionary<StoragePath, ZoneId> _zones = new() { [StoragePath.Root] = ZoneId.Root };
    private readonly List<(ZoneId Zone, ZoneId Winner)> _superseded = [];

    /// <summary>A map of zones and their paths. Of several at one path the smallest one is used.</summary>
    public ZoneMap(IEnumerable<(ZoneId Zone, StoragePath Path)> zones)
    {
        foreach (var (zone, path) in zones.OrderBy(each => each.Zone))
            if (!_zones.TryAdd(path, zone) && _zones[path] != zone) _superseded.Add((zone, _zones[path]));
    }

    /// <summary>Zones made at a path that another one has, with that one (§6.3): servers have lied.</summary>
    public IReadOnlyList<(ZoneId Zone, ZoneId Winner)> Superseded => _superseded;

    /// <summary>The zone at exactly this path.</summary>
    public ZoneId? At(StoragePath path) => _zones.TryGetValue(path, out var zone) ? zone : null;

    /// <summary>The zones strictly below a path, outer ones first.</summary>
    public IEnumerable<(StoragePath Path, ZoneId Zone)> Below(StoragePath path) =>
        _zones.Where(zone => !zone.Key.Equals(path) && path.Contains(zone.Key)).OrderBy(zone => zone.Key).Select(zone => (zone.Key, zone.Value));

    /// <summary>The innermost zone that contains the path.</summary>
    public ZoneId Of(StoragePath path)
    {
        if (_zones.Count == 1) return ZoneId.Root;
        for (var length = path.Segments.Count; length > 0; length--)
            if (_zones.TryGetValue(StoragePath.Of([.. path.Segments.Take(length)]), out var zone)) return zone;
        return ZoneId.Root;
    }

    /// <summary>
    /// Puts each operation into the part of the innermost zone that it is about, ascending by zone; without operations, zone 0 has a part. A remove at a path
    /// above some zones becomes one for each, of what lies in it, so that those who read only that zone learn of it.
    /// </summary>
    public IReadOnlyList<ZonePart> Split(IReadOnlyList<Operation> operations, DocumentState state)
    {
        var parts = new SortedDictionary<ZoneId, ZonePart>();
        for (var i = 0; i < operations.Count; i++)
        {
            switch (operations[i])
            {
                case Put put: Add(parts, Of(put.Path), put, i); break;
                case Place place: Add(parts, Of(place.Path), place, i); break;
                case Remove remove when Below(remove.Path).Any(): Split(parts, remove, i, state); break;
                case Remove remove: Add(parts, Of(remove.Path), remove, i); break;
                default: throw new ArgumentException("a schema belongs to a part, not to an edit", nameof(operations));
            }
        }

        if (parts.Count == 0) parts.Add(ZoneId.Root, new(ZoneId.Root, [], []));
        return [.. parts.Values];
    }

    private void Split(SortedDictionary<ZoneId, ZonePart> parts, Remove remove, int origin, DocumentState state)
    {
        var paths = state.PutsAtAndUnder(remove.Path);
        foreach (var group in remove.Dots.GroupBy(dot => paths.TryGetValue(dot, out var path) ? Of(path) : Of(remove.Path)))
        {
            var inner = _zones.First(zone => zone.Value == group.Key).Key;
            Add(parts, group.Key, new Remove(remove.Path.Contains(inner) ? inner : remove.Path, [.. group]), origin);
        }
    }

    private static void Add(SortedDictionary<ZoneId, ZonePart> parts, ZoneId zone, Operation operation, int origin)
    {
        if (!parts.TryGetValue(zone, out var part)) parts.Add(zone, part = new(zone, [], []));
        part.Operations.Add(operation);
        part.Origins.Add(origin);
    }
}
