using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Documents;

// What happened between two moments.
public sealed partial class Document
{
    /// <summary>
    /// Remembers this moment. With a path, only what happens at and below that place will be told; an index names the element that is there now, and follows
    /// it when it moves. Refused like a path to read.
    /// </summary>
    public DocumentMark Mark(string path = ".") => new(Version, Policy, path is "." ? null : Location.Resolve(Schema.List.View, _state, path, present: false));

    /// <summary>The same place, now.</summary>
    public DocumentMark Mark(DocumentMark before) => new(Version, Policy, before.Within);

    /// <summary>
    /// What happened since a moment, in time proportional to it. Removes come first, the innermost and then the last index first; then the others, the
    /// outermost and then the first index first; then grants. Nothing while the document has no readable schema.
    /// </summary>
    public IReadOnlyList<DocumentChange> ChangesSince(DocumentMark mark)
    {
        if (CarriedName is null) return [];
        return [.. StateDiff.Between(Schema.List.View, mark.Version, Version, mark.Within).Select(Told), .. mark.Within is null ? Grants(mark.Policy) : []];
    }

    /// <summary>A cursor to a place; refused like a path to read.</summary>
    public DocumentCursor CursorAt(string path) => new(Location.Resolve(Schema.List.View, _state, path, present: false).Path);

    /// <summary>Where a cursor points now; null if this schema version does not show the place.</summary>
    public CursorPosition? Locate(DocumentCursor cursor) => cursor.Locate(Schema.List.View, _state);

    private DocumentChange Told(StateChange change) =>
        new(change.Kind, change.Path, change.Value, change.From, change.Envelope is { } envelope ? _log.Find(envelope)?.Header.Author : null, null);

    private IEnumerable<DocumentChange> Grants(PolicyView before)
    {
        var now = Policy;
        if (ReferenceEquals(before, now)) yield break;
        var held = before.Grants.Where(grant => grant.Holds).Select(grant => grant.Id).ToHashSet();
        foreach (var grant in now.Grants.Where(grant => grant.Holds != held.Contains(grant.Id)))
        {
            PeerId? author = grant.Holds ? grant.Statement.Author : grant.EndedBy is { } ending ? _log.Find(ending)?.Header.Author : null;
            yield return new(grant.Holds ? ChangeKind.Grant : ChangeKind.Revoke, ".", null, null, author, grant);
        }
    }
}
