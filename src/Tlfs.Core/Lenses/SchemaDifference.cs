using Tlfs.Core.Ids;

namespace Tlfs.Core.Lenses;

/// <summary>
/// What changes for an app that goes from one version of a schema to another, earlier, later or on another branch. Lenses keep the storage path of a
/// place (docs/protocol/operations.md §2.4), so two places are the same exactly if their storage paths are, and what the lenses between
/// the versions do and take back again does not appear.
/// </summary>
public static class SchemaDifference
{
    /// <summary>
    /// The changes, in the order of the paths after; what is shown no more comes last, without what lies below it. Versions of different schemas are
    /// an <see cref="ArgumentException"/>.
    /// </summary>
    public static IReadOnlyList<SchemaChange> Between(LensList before, LensList after)
    {
        if (!string.Equals(before.Name, after.Name, StringComparison.Ordinal)) throw new ArgumentException("two schemas have no versions in common", nameof(after));
        var old = Places(before);
        var young = Places(after);
        var fields = new Lazy<HashSet<FieldId>>(() => FieldsOf(before));
        var changes = new List<SchemaChange>();
        foreach (var (id, place) in young)
        {
            if (old.TryGetValue(id, out var earlier)) changes.AddRange(Compare(earlier, place));
            else if (place.Node.Kind != Kind.Null || !place.Node.IsRow) changes.Add(Appeared(Knows(fields.Value, place), place));
        }

        var known = new Lazy<HashSet<FieldId>>(() => FieldsOf(after));
        foreach (var (id, place) in old)
        {
            if (young.ContainsKey(id) || !IsTopmost(young, place)) continue;
            changes.Add(new(Knows(known.Value, place) ? SchemaChangeKind.Hidden : SchemaChangeKind.Unknown, place.Path, null, place.Node.Kind));
        }

        return changes;
    }

    private static SchemaChange Appeared(bool wasHidden, Place place) =>
        new(wasHidden ? SchemaChangeKind.Shown : SchemaChangeKind.Added, null, place.Path, place.Node.Kind);

    private static IEnumerable<SchemaChange> Compare(Place before, Place after)
    {
        if (!string.Equals(before.Parent, after.Parent, StringComparison.Ordinal)) yield return new(SchemaChangeKind.Moved, before.Path, after.Path, after.Node.Kind);
        else if (!string.Equals(before.Name, after.Name, StringComparison.Ordinal)) yield return new(SchemaChangeKind.Renamed, before.Path, after.Path, after.Node.Kind);
        if (before.Node.Kind == after.Node.Kind) yield break;
        yield return new(before.Node.Kind == Kind.Null ? SchemaChangeKind.Made : SchemaChangeKind.Destroyed, before.Path, after.Path, after.Node.Kind);
    }

    /// <summary>True if the place is the topmost of what is shown no more. A row or element without its container is said by the container.</summary>
    private static bool IsTopmost(Dictionary<string, Place> young, Place place) => !place.Node.IsRow && place.Parent is { } parent && young.ContainsKey(parent);

    private static bool Knows(HashSet<FieldId> fields, Place place)
    {
        for (var node = place.Node; node is not null; node = node.Container)
            if (node.Chain.Count > 0) return fields.Contains(node.Chain[^1]);
        return true;
    }

    private static HashSet<FieldId> FieldsOf(LensList list) =>
        [.. Enumerable.Range(0, list.Lenses.Count).Where(i => ViewBuilder.Innermost(list.Lenses[i]) is AddProperty).Select(list.FieldIdAt)];

    /// <summary>All places of a version by the form of their storage path, from the root down.</summary>
    private static Dictionary<string, Place> Places(LensList list)
    {
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        Collect(new(list.View.Root, null, "", "."), places);
        return places;
    }

    private static void Collect(Place place, Dictionary<string, Place> places)
    {
        var id = Id(place.Node);
        places.Add(id, place);
        var path = place.Path is "." ? "" : place.Path;
        foreach (var (name, field) in place.Node.Fields) Collect(new(field, id, name, $"{path}.{name}"), places);
        if (place.Node.Element is not { } element) return;
        var row = place.Node.Kind.Code == KindCode.Table ? "{}" : "[]";
        Collect(new(element, id, row, $"{path}.{row}"), places);
    }

    private static string Id(ViewNode node) => (node.Container is null ? "" : Id(node.Container) + "/*") + string.Concat(node.Chain.Select(id => "/" + id));

    /// <summary>A place of a view.</summary>
    /// <param name="Node">The place.</param>
    /// <param name="Parent">The form of the storage path of what it is shown in; null for the root.</param>
    /// <param name="Name">Its name there.</param>
    /// <param name="Path">Its path.</param>
    private sealed record Place(ViewNode Node, string? Parent, string Name, string Path);
}
