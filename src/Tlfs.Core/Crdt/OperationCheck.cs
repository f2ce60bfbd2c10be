using Tlfs.Core.Encoding;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Crdt;

/// <summary>Whether operations fit the schema version that their part names (docs/protocol/operations.md §3.4). One that does not makes the part void.</summary>
public static class OperationCheck
{
    /// <summary>
    /// True if the operation fits. A put and a place need a place that this version shows and a value of its kind; a remove and a schema operation
    /// always fit. Otherwise the error's reason is <see cref="Reason.SchemaMismatch"/>.
    /// </summary>
    public static bool Fits(SchemaView view, Operation operation, out DecodeError error)
    {
        var misfit = operation switch
        {
            Put put => Misfit(view.Find(put.Path), put.Value),
            Place place => view.Find(place.Path)?.Kind.Code == KindCode.Array ? null : "an element is placed in what is not an array",
            _ => null,
        };
        error = misfit is null ? default : new(Reason.SchemaMismatch, misfit);
        return misfit is null;
    }

    private static string? Misfit(ViewNode? node, Value value)
    {
        if (node is null) return "a value is put where the schema has nothing";
        if (value.Kind == ValueKind.Null) return node.IsRow ? null : "null is put at what is neither row nor element";
        return node.Kind.Code switch
        {
            KindCode.MVReg when value.Fits(node.Kind.Primitive) => null,
            KindCode.EWFlag when value == Value.True => null,
            _ => "a value is put that does not fit the kind at its path",
        };
    }
}
