using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Lenses;

/// <summary>
/// The static table of a schema version: which places it shows, and under which storage path each is kept (docs/protocol/operations.md §2.4).
/// A place that the version hides is in neither direction.
/// </summary>
public sealed class SchemaView
{
    private readonly StorageNode _storage = new();

    private SchemaView(LensList list, ViewNode root)
    {
        List = list;
        Root = root;
        root.Settle();
        Register(root);
    }

    /// <summary>The version.</summary>
    public LensList List { get; }

    /// <summary>The document itself.</summary>
    public ViewNode Root { get; }

    /// <summary>The view that a lens list makes.</summary>
    public static SchemaView Of(LensList list)
    {
        var builder = new ViewBuilder();
        for (var i = 0; i < list.Lenses.Count; i++)
        {
            var lens = list.Lenses[i];
            var id = ViewBuilder.Innermost(lens) is AddProperty ? list.FieldIdAt(i) : default;
            if (builder.Apply(lens, id) is { } why) throw new InvalidOperationException(why);
        }

        return new(list, builder.Root);
    }

    /// <summary>The place that this version shows at a storage path, or null. Keys must be of their table's type.</summary>
    public ViewNode? Find(StoragePath path)
    {
        var node = _storage;
        foreach (var segment in path.Segments)
        {
            var next = segment.Kind == SegmentKind.Field
                ? node.Fields.GetValueOrDefault(segment.Field)
                : node.View is { Element: not null } view && KeyFits(view.Kind, segment) ? node.Element : null;
            if (next is null) return null;
            node = next;
        }

        return node.View;
    }

    /// <summary>True if the segment is a key of the table's type, or an element if the kind is Array.</summary>
    public static bool KeyFits(Kind kind, Segment segment) => kind.Code switch
    {
        KindCode.Array => segment.Kind == SegmentKind.Element,
        KindCode.Table => segment.Kind == kind.Primitive switch
        {
            Primitive.Bool => SegmentKind.BoolKey,
            Primitive.U64 => SegmentKind.UIntKey,
            Primitive.I64 => SegmentKind.IntKey,
            Primitive.String => SegmentKind.StringKey,
            Primitive.Bytes => SegmentKind.BytesKey,
            Primitive.F64 => throw new InvalidOperationException("f64 is not a table key"),
        },
        KindCode.Null or KindCode.Struct or KindCode.MVReg or KindCode.EWFlag => false,
    };

    private void Register(ViewNode view)
    {
        StorageOf(view).View = view;
        foreach (var field in view.Fields.Values) Register(field);
        if (view.Element is not null) Register(view.Element);
    }

    private StorageNode StorageOf(ViewNode view)
    {
        var node = view.Container is null ? _storage : StorageOf(view.Container).Element ??= new();
        foreach (var id in view.Chain)
        {
            if (!node.Fields.TryGetValue(id, out var next)) node.Fields.Add(id, next = new());
            node = next;
        }

        return node;
    }

    private sealed class StorageNode
    {
        public ViewNode? View { get; set; }

        public StorageNode? Element { get; set; }

        public Dictionary<FieldId, StorageNode> Fields { get; } = [];
    }
}
