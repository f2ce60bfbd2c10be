using System.Globalization;
using Tlfs.Core.Crdt;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Tests.Lenses;

/// <summary>
/// What a schema version shows of a state, by the form of the storage path and the keys on the way, so that two versions can be compared place by place.
/// </summary>
internal static class Places
{
    /// <summary>
    /// The form of a place's storage path with the types on the way: field ids, and a star for each key. Without those types the first element of an array
    /// would be taken for row 0 of what another branch has made a table.
    /// </summary>
    public static string Form(ViewNode node) =>
        (node.Container is null ? "" : Form(node.Container) + "/*") + string.Concat(node.Chain.Select(id => "/" + id)) + ":" + node.Kind;

    /// <summary>All places of a view.</summary>
    public static IEnumerable<ViewNode> All(ViewNode node)
    {
        IEnumerable<ViewNode> below = [.. node.Fields.Values, .. node.Element is null ? Array.Empty<ViewNode>() : [node.Element]];
        return below.SelectMany(All).Prepend(node);
    }

    /// <summary>
    /// True if a place has one type in one version and another in the other. Only branches do that, where each gives a type to what neither of them made: the
    /// place is one, and what is written there under one type is replaced under the other.
    /// </summary>
    public static bool Disagree(LensList one, LensList other)
    {
        var kinds = All(one.View.Root).ToDictionary(Chain, node => node.Kind, StringComparer.Ordinal);
        return All(other.View.Root).Any(node => node.Kind != Kind.Null && kinds.TryGetValue(Chain(node), out var kind) && kind != Kind.Null && kind != node.Kind);
    }

    /// <summary>Registers and flags, asked for one by one through their paths in the version.</summary>
    public static Dictionary<string, string> Leaves(LensList list, DocumentState state)
    {
        var leaves = new Dictionary<string, string>(StringComparer.Ordinal);
        Collect(list.View, list.View.Root, state, "", "", leaves);
        return leaves;
    }

    private static void Collect(SchemaView view, ViewNode node, DocumentState state, string path, string keys, Dictionary<string, string> leaves)
    {
        var text = path.Length == 0 ? "." : path;
        switch (node.Kind.Code)
        {
            case KindCode.MVReg or KindCode.EWFlag:
                leaves.Add(Form(node) + keys, JsonView.Text(view, state, text, allValues: true));
                break;
            case KindCode.Struct:
                foreach (var (name, field) in node.Fields) Collect(view, field, state, $"{path}.{name}", keys, leaves);
                break;
            case KindCode.Table:
                foreach (var row in Json.Parse(JsonView.Text(view, state, text)).EnumerateObject())
                    Collect(view, node.Element!, state, text + AnyEdit.Bracket(node.Kind.Primitive, row.Name), $"{keys}|{row.Name}", leaves);
                break;
            case KindCode.Array:
                var count = Json.Parse(JsonView.Text(view, state, text)).GetArrayLength();
                foreach (var index in Enumerable.Range(0, count).Select(index => index.ToString(CultureInfo.InvariantCulture)))
                    Collect(view, node.Element!, state, $"{text}[{index}]", $"{keys}|{index}", leaves);
                break;
            case KindCode.Null:
                break;
        }
    }

    private static string Chain(ViewNode node) => (node.Container is null ? "" : Chain(node.Container) + "/*") + string.Concat(node.Chain.Select(id => "/" + id));
}
