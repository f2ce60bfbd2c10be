using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Where the zones lie, and what is in them (docs/protocol/statements.md §6).
public sealed partial class Document
{
    /// <summary>The zones whose place is known here.</summary>
    internal ZoneMap Zones => new(AllZones().Select(zone => (Zone: zone, Path: PathOf(zone))).Where(zone => zone.Path is not null).Select(zone => (zone.Zone, zone.Path!)));

    /// <summary>All zones, each after the one that it lies in.</summary>
    internal IEnumerable<ZoneId> AllZones() => Policy.Zones.Descendants(ZoneId.Root).Prepend(ZoneId.Root);

    /// <summary>The longest version that the document carries, whatever this replica knows by itself.</summary>
    internal TlfsVersion CarriedSchema => _schemas.Longest ?? throw new TlfsException(Reason.KeyMissing, "nothing to read has arrived yet; sync first");

    /// <summary>A grant's place by view path: <c>.</c> is the whole document; null if it is not known here or this schema version does not show it.</summary>
    public string? PathOf(GrantStatus grant)
    {
        if (grant.Zone == ZoneId.Root && grant.Sub is null) return ".";
        return (grant.Sub is null ? PathOf(grant.Zone) : SubPathOf(grant)?.Path) is { } path && ViewIfAny()?.Find(path) is { } node
            ? Location.Of(ViewIfAny()!, _state, node, path.Keys).Text
            : null;
    }

    /// <summary>The schema version with that hash, if an opened part carried it.</summary>
    internal TlfsVersion? SchemaOf(SchemaHash hash) => _schemas.Find(hash);

    /// <summary>What a narrowed grant covers; null if the key is not here, or it is not what the grant commits to.</summary>
    internal PathOpening? SubPathOf(GrantStatus grant) => grant.Sub is { } sub ? _keyring.OpenSub(grant.Zone, sub) : null;

    // Null while it is not known, and for a zone that has no place.
    private StoragePath? PathOf(ZoneId zone) => _keyring.Place(zone) is { IsMisplaced: false } place ? place.Path : null;

    // Null for who may read everything, and for who may read nothing: what was read before stays.
    private StoragePath[]? Readable()
    {
        var self = Own.Device.Public;
        if (Policy.MayRead(self, ZoneId.Root)) return null;
        StoragePath[] readable = [.. AllZones().Where(zone => Policy.MayRead(self, zone)).Select(PathOf).OfType<StoragePath>()];
        return readable.Length > 0 ? readable : null;
    }

    /// <summary>A storage path as a person writes it; hexadecimal if this schema version does not show it.</summary>
    internal string ViewPath(StoragePath path) => Shown(ViewIfAny(), path);

    /// <summary>
    /// The storage paths that together hold just what a view path shows: its own, unless a lens brought something in from elsewhere or shows part of it
    /// elsewhere; then those of its fields.
    /// </summary>
    internal IReadOnlyList<StoragePath> Cover(string path)
    {
        var view = Schema.List.View;
        var at = Location.Resolve(view, _state, path, present: false);
        var cover = new List<StoragePath>();
        Cover(view, at.Node, at.Keys, cover);
        return cover;
    }

    private static void Cover(SchemaView view, ViewNode node, IReadOnlyList<Segment> keys, List<StoragePath> cover)
    {
        var path = node.Storage(keys);
        if (node.Kind.Code != KindCode.Struct || (Fields(node).All(field => path.Contains(field.Storage(keys))) && !ShowsElsewhere(node, keys, path)))
        {
            cover.Add(path);
            return;
        }

        foreach (var field in node.Fields.Values) Cover(view, field, keys, cover);
    }

    // Fields of the same row or element, at any depth.
    private static IEnumerable<ViewNode> Fields(ViewNode node) => node.Fields.Values.SelectMany(field => Fields(field).Prepend(field));

    private static bool ShowsElsewhere(ViewNode node, IReadOnlyList<Segment> keys, StoragePath path)
    {
        var row = node;
        while (row.Parent is { } parent && parent.KeyCount == node.KeyCount) row = parent;
        return Fields(row).Any(field => !field.IsAtOrBelow(node) && path.Contains(field.Storage(keys)));
    }

    /// <summary>What is shown now in a zone and in no zone below, by the parts that it came from, in the order of the log.</summary>
    internal IReadOnlyList<(HeldEnvelope Held, HeldPart Part, IReadOnlyList<int> Indices)> ShownIn(ZoneId zone)
    {
        var zones = Zones;
        var byPart = new Dictionary<(EnvelopeId, ushort), List<int>>();
        foreach (var (dot, path) in _state.ShownOperations())
        {
            if (zones.Of(path) != zone) continue;
            if (!byPart.TryGetValue((dot.Envelope, dot.Part), out var indices)) byPart.Add((dot.Envelope, dot.Part), indices = []);
            indices.Add((int)dot.Index);
        }

        return
        [
            .. byPart.Select(part => (Held: _log.Find(part.Key.Item1)!, Part: part.Key.Item2, Indices: part.Value)).OrderBy(part => part.Held.Number)
                .Select(part => (part.Held, part.Held.Parts[part.Part], (IReadOnlyList<int>)[.. part.Indices.Order()])),
        ];
    }
}
