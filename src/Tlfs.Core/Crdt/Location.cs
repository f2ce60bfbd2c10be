using System.Globalization;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Schema;

namespace Tlfs.Core.Crdt;

/// <summary>A place of a document: as a schema version shows it, as it is stored, and as a person writes it.</summary>
public sealed class Location
{
    private readonly IReadOnlyList<Segment> _keys;

    private Location(string text, ViewNode node, IReadOnlyList<Segment> keys)
    {
        Text = text;
        Node = node;
        _keys = keys;
        Path = node.Storage(keys);
    }

    /// <summary>The path as a person writes it.</summary>
    public string Text { get; }

    /// <summary>The place in the view.</summary>
    public ViewNode Node { get; }

    /// <summary>The storage path.</summary>
    public StoragePath Path { get; }

    /// <summary>
    /// Finds what a path such as <c>.people["Ann B."].name</c> names. Array indexes count the elements that are shown.
    /// Refusals: <see cref="Reason.PathSyntax"/>, <see cref="Reason.PathNotFound"/> for what the schema does not have,
    /// <see cref="Reason.TypeMismatch"/> for a key of another type, <see cref="Reason.IndexOutOfRange"/>, <see cref="Reason.TooLarge"/>, and, if
    /// <paramref name="present"/> is asked for, <see cref="Reason.NotPresent"/> for a row that does not exist.
    /// </summary>
    public static Location Resolve(SchemaView view, DocumentState state, string path, bool present = true)
    {
        var at = Root(view);
        foreach (var step in PathText.Parse(path))
        {
            at = step.Name is { } name ? at.Field(name) : at.Keyed(state, step);
            if (present && at.Node.IsRow && !state.Exists(at.Path)) throw new TlfsException(Reason.NotPresent, $"there is no {at.Text}");
        }

        return at;
    }

    /// <summary>
    /// A place that a state shows, by its view and keys. Elements get the index that they have in the state, or would have.
    /// </summary>
    internal static Location Of(SchemaView view, DocumentState state, ViewNode node, IReadOnlyList<Segment> keys)
    {
        var way = new Stack<ViewNode>();
        for (var place = node; place.Parent is not null; place = place.Parent) way.Push(place);
        var (at, key) = (Root(view), 0);
        foreach (var place in way)
        {
            if (place.Name is { } name) at = at.Field(name);
            else if (at.Node.Kind.Code == KindCode.Array) at = at.Element(keys[key].Element, state.IndexOf(at.Path, keys[key++].Element));
            else at = at.Row(keys[key], at.KeyText(keys[key++]));
        }

        return at;
    }

    internal IReadOnlyList<Segment> Keys => _keys;

    internal static Location Root(SchemaView view) => new(".", view.Root, []);

    internal Location Field(string name) => Node.Fields.TryGetValue(name, out var field)
        ? new(PathText.Below(Text, name), field, _keys)
        : throw new TlfsException(Reason.PathNotFound, Node.Kind.Code == KindCode.Struct
            ? $"the schema has no {PathText.Below(Text, name)}{Suggestion(name)}"
            : $"{Text} is of type {Node.Kind} and has no field {name}");

    /// <summary>"; did you mean 'x'?" for a field whose name is near, else nothing.</summary>
    internal string Suggestion(string name) => Suggestions.DidYouMean(name, Node.Fields.Keys) is { } near ? "; " + near : "";

    internal Location Row(Segment key, string text) => new(PathText.Row(Text, text), Node.Element!, [.. _keys, key]);

    private string KeyText(Segment key) => Node.Kind.Primitive is Primitive.String or Primitive.Bytes
        ? JsonText.Quote(JsonView.KeyText(key))
        : JsonView.KeyText(key);

    /// <summary>The row of a table whose key is the text, as a member of a JSON object names it.</summary>
    internal Location Member(string key) => TryKey(Node.Kind.Primitive, key, out var segment)
        ? Row(segment, Node.Kind.Primitive is Primitive.String or Primitive.Bytes ? JsonText.Quote(key) : key)
        : throw new TlfsException(Reason.TypeMismatch, $"{Text} takes keys of type {Node.Kind.Primitive.ToText()}, and one given is not");

    internal Location Element(Uid element, int index) => Row(Segment.Of(element), index.ToString(CultureInfo.InvariantCulture));

    /// <summary>The rows and elements on the way down to this place, from the outside in, this one included.</summary>
    internal IEnumerable<(ViewNode Node, StoragePath Path)> Rows() =>
        Node.Rows().Select(row => (row, row.Storage([.. _keys.Take(row.KeyCount)])));

    private Location Keyed(DocumentState state, PathStep step)
    {
        switch (Node.Kind.Code)
        {
            case KindCode.Array: return Element(state, step);
            case KindCode.Table:
                var textual = Node.Kind.Primitive is Primitive.String or Primitive.Bytes;
                if (textual == step.Quoted) return Member(step.Key);
                throw new TlfsException(Reason.TypeMismatch, $"{Text} takes keys of type {Node.Kind.Primitive.ToText()}{(textual ? " in quotes" : "")}");
            default:
                throw new TlfsException(Reason.PathNotFound, $"{Text} is of type {Node.Kind} and has no keys");
        }
    }

    private Location Element(DocumentState state, PathStep step)
    {
        if (step.Quoted || step.Key is "true" or "false") throw new TlfsException(Reason.TypeMismatch, $"{Text} takes an index");
        var shown = state.Shown(Path);
        if (!int.TryParse(step.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= shown.Count)
            throw new TlfsException(Reason.IndexOutOfRange, $"{Text} has {shown.Count} elements and none at [{step.Key}]");
        return Element(shown[index].Element, index);
    }

    private static bool TryKey(Primitive primitive, string text, out Segment key)
    {
        key = default;
        switch (primitive)
        {
            case Primitive.Bool when text is "true" or "false":
                key = Segment.Of(text is "true");
                return true;
            case Primitive.U64 when Numbers.IsInteger(text) && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned):
                key = Segment.Of(unsigned);
                return true;
            case Primitive.I64 when Numbers.IsInteger(text) && text is not "-0" && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var signed):
                key = Segment.Of(signed);
                return true;
            case Primitive.String:
                key = Segment.Of(text);
                return true;
            case Primitive.Bytes when Json.TryBase64(text, out var bytes):
                key = Segment.Of(bytes);
                return true;
            default:
                return false;
        }
    }
}
