using Tlfs.Core.Crdt;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// What was edited and does not count.
public sealed partial class Document
{
    /// <summary>All deltas held that are void, in the order in which they were received, opened as far as the keys of this account go.</summary>
    public IReadOnlyList<VoidedEdit> Voided() =>
    [
        .. _log.Where(held => held.Outcome.Status == EnvelopeStatus.Void && held.Header.Type == EnvelopeType.Delta).Select(held =>
        {
            var operations = OpenedOperations(held, out var closed);
            return new VoidedEdit(
                held.Id, held.Header.Author, held.Header.Seq, held.Outcome.Reason ?? Reason.Internal, held.Outcome.Why, false, Shown(operations?.SelectMany(part => part)), closed);
        }),
    ];

    /// <summary>What a withdrawn delta was to do.</summary>
    public VoidedEdit Voided(WithdrawnEdit edit) => new(
        edit.Envelope, Own.Device.Public, edit.Seq, edit.Reason, null, true, Shown(edit.Operations().SelectMany(part => part)), null);

    /// <summary>The operations of a delta, part by part, void ones included; null if one of its parts cannot be opened here.</summary>
    internal IReadOnlyList<IReadOnlyList<Operation>>? OpenedOperations(HeldEnvelope held, out Reason? closed)
    {
        closed = held.Parts.Select(ClosedBy).FirstOrDefault(reason => reason is not null);
        return closed is null ? [.. held.Parts.Select(part => ContentOf(held, part).Operations)] : null;
    }

    private Reason? ClosedBy(HeldPart part)
    {
        if (part.Defect is { } defect) return defect;
        if (KeyOf(part, out var missing) is null) return missing;
        return part.IsOpen ? null : Reason.KeyMissing;
    }

    private VoidedOperation[]? Shown(IEnumerable<Operation>? operations)
    {
        if (operations is null) return null;
        var view = ViewIfAny();
        return [.. operations.Select(operation => Shown(view, operation))];
    }

    private VoidedOperation Shown(SchemaView? view, Operation operation) => operation switch
    {
        SchemaOperation schema => new(VoidedKind.Schema, ".", JsonText.Quote(schema.Version.ToString())),
        Put put => new(VoidedKind.Put, Shown(view, put.Path), Shown(put.Value)),
        Place place => new(VoidedKind.Place, Shown(view, ElementOf(place)), null),
        _ => new(VoidedKind.Remove, Shown(view, ((Remove)operation).Path), null),
    };

    private string Shown(SchemaView? view, StoragePath path)
    {
        if (path.Segments.Count == 0) return ".";
        return view?.Find(path) is { } node
            ? Location.Of(view, _state, node, path.Keys).Text
            : Convert.ToHexStringLower(path.Bytes);
    }

    private static string Shown(Value value)
    {
        var json = new JsonText();
        json.Value(value);
        return json.ToString();
    }

    // Whoever made an array's path as long as a path may be has no element there to name.
    private static StoragePath ElementOf(Place place)
    {
        var element = Segment.Of(place.Element);
        var fits = place.Path.Segments.Count < Limits.PathSegments && place.Path.Bytes.Length + element.EncodedBytes <= Limits.PathBytes;
        return fits ? place.Path.Append(element) : place.Path;
    }

    private SchemaView? ViewIfAny()
    {
        try
        {
            return Schema.List.View;
        }
        catch (TlfsException)
        {
            return _schemas.Longest?.List.View;
        }
    }
}
