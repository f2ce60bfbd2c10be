using Tlfs.Core;
using Tlfs.Core.Lenses;

namespace Tlfs.Cli.CSharp;

/// <summary>A schema version as C# types.</summary>
internal sealed class SchemaModel
{
    // What generated and inherited members are called; a field of that name gets a number.
    private static readonly string[] Members =
    [
        "At", "Get", "Put", "Read", "Set", "Remove", "Equals", "GetHashCode", "ToString", "GetType", "MemberwiseClone", "ReferenceEquals", "Finalize", "Clone", "Deconstruct",
        "EqualityContract", "PrintMembers",
    ];

    private readonly NameScope _types;
    private readonly List<StructModel> _structs = [];

    private SchemaModel(LensList list)
    {
        Prefix = Identifiers.Pascal(list.Name);
        Document = Prefix + "Document";
        Shapes = Prefix + "Shapes";
        _types = new(Document, Shapes);
        Root = Describe(list.View.Root, ".", Prefix, isRoot: true);
    }

    /// <summary>What the names of all types begin with.</summary>
    public string Prefix { get; }

    /// <summary>The document's type.</summary>
    public string Document { get; }

    /// <summary>The type that holds the shapes.</summary>
    public string Shapes { get; }

    /// <summary>The document itself.</summary>
    public PlaceModel Root { get; }

    /// <summary>All structs, each after those in it.</summary>
    public IReadOnlyList<StructModel> Structs => _structs;

    /// <summary>The model of a schema version.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/> for a version that gives the document no type.</exception>
    public static SchemaModel Of(LensList list)
    {
        if (list.View.Root.Kind == Kind.Null) throw new TlfsException(Reason.BadArgument, "this version gives the document no type; write .: Struct");
        return new(list);
    }

    private PlaceModel Describe(ViewNode node, string path, string name, bool isRoot = false) => node.Kind.Code switch
    {
        KindCode.Struct => DescribeStruct(node, path, name, isRoot),
        KindCode.Array => DescribeArray(node, path, name),
        KindCode.Table => DescribeTable(node, path, name),
        KindCode.MVReg => DescribeRegister(node.Kind, path),
        KindCode.EWFlag => new(node.Kind, path, "bool", "_typed::Shapes.Flag", null, null, new("bool", "OnValue", ", _typed::Shapes.Flag")),
        KindCode.Null => new(node.Kind, path, "_typed::Nothing", "_typed::Shapes.Nothing", null, null, null),
    };

    private static PlaceModel DescribeRegister(Kind kind, string path)
    {
        var (type, shape) = Primitive(kind.Primitive);
        return new(kind, path, type + "?", $"_typed::Shapes.{shape}", new($"_collections::IReadOnlyList<{type}>", $"_typed::Shapes.{shape}Values"), null,
            new(type + "?", "OnValue", $", _typed::Shapes.{shape}"));
    }

    private PlaceModel DescribeArray(ViewNode node, string path, string name)
    {
        var element = Describe(node.Element!, Below(path, "[]"), name);
        var edit = element.Edit is { } inner
            ? new EditModel($"_typed::TypedArray<{element.Type}, {inner.Type}>", $", {element.Shape}, static at => {inner.New("at")}")
            : new EditModel($"_typed::TypedArray<{element.Type}>", $", {element.Shape}");
        var values = element.Values is { } all ? new ValuesModel($"_collections::IReadOnlyList<{all.Type}>", $"_typed::Shapes.Array({all.Shape})") : null;
        return new(node.Kind, path, $"_collections::IReadOnlyList<{element.Type}>", $"_typed::Shapes.Array({element.Shape})", values, edit,
            new($"_typed::ArrayChange<{element.Type}>", "OnArray", $", {element.Shape}"));
    }

    private PlaceModel DescribeTable(ViewNode node, string path, string name)
    {
        var row = Describe(node.Element!, Below(path, "{}"), name);
        var (key, keys) = Primitive(node.Kind.Primitive);
        var edit = row.Edit is { } inner
            ? new EditModel($"_typed::TypedTable<{key}, {row.Type}, {inner.Type}>", $", _typed::TableKeys.{keys}, {row.Shape}, static at => {inner.New("at")}")
            : new EditModel($"_typed::TypedTable<{key}, {row.Type}>", $", _typed::TableKeys.{keys}, {row.Shape}");
        string Dictionary(string type) => $"_collections::IReadOnlyDictionary<{key}, {type}>";
        string Shape(string of) => $"_typed::Shapes.Table(_typed::TableKeys.{keys}, {of})";
        return new(node.Kind, path, Dictionary(row.Type), Shape(row.Shape), row.Values is { } all ? new(Dictionary(all.Type), Shape(all.Shape)) : null, edit,
            new($"_typed::TableChange<{key}, {row.Type}>", "OnTable", $", _typed::TableKeys.{keys}, {row.Shape}"));
    }

    private PlaceModel DescribeStruct(ViewNode node, string path, string name, bool isRoot)
    {
        var type = _types.Take(isRoot ? name + "State" : name);
        var edit = _types.Take(isRoot ? name + "Edit" : type + "Edit");
        var properties = new NameScope([.. Members, type, edit]);
        var named = node.Fields.Select(field => (field.Key, field.Value, Property: properties.Take(Identifiers.Pascal(field.Key)))).ToList();
        var fields = named.Select(field => new FieldModel(
            field.Key,
            field.Property,
            properties.Take(field.Property + "Values"),
            Describe(field.Value, Below(path, field.Key), (isRoot ? name : type) + TypeName(field.Value, field.Property)))).ToList();
        _structs.Add(new(type, edit, path, fields));
        return new(node.Kind, path, type, $"{Shapes}.{type}Shape", null, new(edit, ""), new("_documents::DocumentChange", "Watch", ""));
    }

    /// <summary>What the structs in a field are called: one of the tasks is a Task.</summary>
    private static string TypeName(ViewNode node, string property)
    {
        if (node.Element is null) return property;
        var one = Identifiers.Singular(property);
        var name = string.Equals(one, property, StringComparison.Ordinal) ? property + Suffix(node) : one;
        for (var inner = node.Element; inner.Element is not null; inner = inner.Element) name += Suffix(inner);
        return name;
    }

    private static string Suffix(ViewNode container) => container.Kind.Code == KindCode.Array ? "Item" : "Row";

    private static (string Type, string Shape) Primitive(Primitive primitive) => primitive switch
    {
        Core.Lenses.Primitive.Bool => ("bool", "Bool"),
        Core.Lenses.Primitive.U64 => ("ulong", "U64"),
        Core.Lenses.Primitive.I64 => ("long", "I64"),
        Core.Lenses.Primitive.F64 => ("double", "F64"),
        Core.Lenses.Primitive.String => ("string", "String"),
        Core.Lenses.Primitive.Bytes => ("_typed::Bytes", "Bytes"),
    };

    private static string Below(string path, string segment) => path is "." ? "." + segment : $"{path}.{segment}";
}
