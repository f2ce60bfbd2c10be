using Tlfs.Core.Lenses;

namespace Tlfs.Cli.CSharp;

/// <summary>How C# sees a place of a schema version.</summary>
/// <param name="Kind">What stands there.</param>
/// <param name="Path">Its path as a <c>.tlfs</c> source writes it.</param>
/// <param name="Type">The type of its values.</param>
/// <param name="Shape">An expression for the shape of its values.</param>
/// <param name="Values">The type and shape of all values of the registers there; null without registers.</param>
/// <param name="Edit">Its type during an edit, and what follows the cursor in the call of its constructor; null for a register or flag.</param>
/// <param name="Watch">How its changes are told; null where nothing changes.</param>
internal sealed record PlaceModel(Kind Kind, string Path, string Type, string Shape, ValuesModel? Values, EditModel? Edit, WatchModel? Watch)
{
    /// <summary>True if the shape is put together from others, so that one is kept instead of making it for each use.</summary>
    public bool IsComposed => Kind.Code is KindCode.Array or KindCode.Table;
}

/// <summary>All values of registers.</summary>
/// <param name="Type">Their type.</param>
/// <param name="Shape">An expression for their shape.</param>
internal sealed record ValuesModel(string Type, string Shape);

/// <summary>A place during an edit.</summary>
/// <param name="Type">The type.</param>
/// <param name="Arguments">The arguments of the constructor after the cursor, each with a comma before it.</param>
internal sealed record EditModel(string Type, string Arguments)
{
    /// <summary>An expression that makes the place.</summary>
    public string New(string cursor) => $"new {Type}({cursor}{Arguments})";
}

/// <summary>How changes of a place are told.</summary>
/// <param name="Argument">The type of what a handler gets.</param>
/// <param name="Call">The method that watches.</param>
/// <param name="Shapes">Its arguments between the path and the handler, each with a comma before it.</param>
internal sealed record WatchModel(string Argument, string Call, string Shapes);

/// <summary>A field of a struct.</summary>
/// <param name="Name">Its name in the schema.</param>
/// <param name="Property">Its name in C#.</param>
/// <param name="ValuesProperty">The name of the property with all values of its registers.</param>
/// <param name="Place">The place.</param>
internal sealed record FieldModel(string Name, string Property, string ValuesProperty, PlaceModel Place);

/// <summary>A struct.</summary>
/// <param name="Type">The type of its values.</param>
/// <param name="EditType">Its type during an edit.</param>
/// <param name="Path">Its path.</param>
/// <param name="Fields">Its fields, in ordinal order of their names in the schema.</param>
internal sealed record StructModel(string Type, string EditType, string Path, IReadOnlyList<FieldModel> Fields);
