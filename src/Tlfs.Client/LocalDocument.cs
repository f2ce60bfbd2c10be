using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

/// <summary>One document on this device. Reading shows what is stored now, also what another process wrote. Safe for concurrent use.</summary>
public sealed partial class LocalDocument
{
    private readonly ReplicaHome _home;

    internal LocalDocument(ReplicaHome home, DocId id)
    {
        _home = home;
        Id = id;
    }

    /// <summary>The document.</summary>
    public DocId Id { get; }

    /// <summary>The name of its schema; null while it cannot be read.</summary>
    public string? Schema => Read(document => document.CarriedName);

    /// <summary>The label of the schema version it is read through; null while it cannot be read.</summary>
    public string? Version => Read(document => document.CarriedName is null ? null : SchemaOf(document).Version.ToString());

    /// <summary>Live values.</summary>
    public int EntryCount => Read(document => document.EntryCount);

    /// <summary>Envelopes held here.</summary>
    public int EnvelopeCount => Read(document => document.Log.Count);

    /// <summary>Envelopes that at least one of its servers is not known to hold; all of them while it has no server.</summary>
    public int Unsent => Read(document =>
        Targets.PlacesOf(_home, Id).Select(_home.Custody.UnsentCount).DefaultIfEmpty(document.Log.Count).Max());

    /// <summary>The newest verified log head of any of its servers; null before the first sync.</summary>
    public LogHead? Head => Read(_ => Targets.PlacesOf(_home, Id).Select(_home.Custody.Head).OfType<LogHead>().MaxBy(head => head.Micros));

    /// <summary>All grants, whether they count or not.</summary>
    public IReadOnlyList<GrantStatus> Grants => Read(document => document.Policy.Grants);

    /// <summary>All envelopes held here, causes before effects.</summary>
    public IReadOnlyList<LogEntry> Log => Read(document =>
    {
        var urls = new Dictionary<PeerId, string>();
        var receipts = _home.Custody.Receipts(Id).ToLookup(
            held => held.Envelope, held => urls.TryGetValue(held.Server, out var url) ? url : urls[held.Server] = Targets.UrlOf(_home, Id, held.Server));
        return (IReadOnlyList<LogEntry>)[.. document.Log.Select(held => Show(held, [.. receipts[held.Envelope.Id]]))];
    });

    /// <summary>The document, or what is at a path, as JSON (docs/protocol/operations.md §5). <c>key-missing</c> while its keys have not arrived.</summary>
    /// <param name="path">A view path; <c>.</c> is the root.</param>
    /// <param name="allValues">Shows each register as an array of all its values.</param>
    public string ToJson(string path = ".", bool allValues = false) => Read(document =>
    {
        SchemaOf(document);
        return document.ToJson(path, allValues);
    });

    /// <summary>One transaction: all edits become one delta, durable when this returns. If anything throws, nothing happened.</summary>
    /// <example><code>await doc.EditAsync(d => d.Insert(".tasks", 0, Json.Parse("{\"title\":\"milk\"}")));</code></example>
    public Task<EditResult> EditAsync(Action<Transaction> edit, CancellationToken cancellationToken = default) =>
        EditAsync((transaction, _) => edit(transaction), cancellationToken);

    /// <summary>The same, with cursors that take plain .NET values.</summary>
    /// <example><code>await doc.EditAsync(d => d["tasks"].Insert(0, new { title = "milk" }));</code></example>
    public Task<EditResult> EditAsync(Action<Cursor> edit, CancellationToken cancellationToken = default) =>
        EditAsync((transaction, document) => edit(new(new(transaction, document), string.Empty)), cancellationToken);

    /// <summary>
    /// Tells what happens at and below a path from now on: rows and elements that come, go and move, values that change, and, for the whole document, grants.
    /// An index names the element that is there now, and follows it. What happens between two looks is told as one difference.
    /// </summary>
    /// <param name="path">A view path; <c>.</c> is the whole document. Refused like a path to read.</param>
    /// <param name="changed">Called for each change, one at a time, on a thread of the pool. It may read and edit. If it throws, the watch ends.</param>
    /// <example><code>await using var watch = doc.Watch(".tasks", change => Console.WriteLine($"{change.Kind} {change.Path} {change.Value}"));</code></example>
    public DocumentWatch Watch(string path, Action<DocumentChange> changed) => new(_home, this, Read(document => document.Mark(path)), changed);

    /// <summary>A cursor to what is at a path: it survives moves, inserts and renames, and means the same on every device.</summary>
    public DocumentCursor CursorAt(string path) => Read(document => document.CursorAt(path));

    /// <summary>Where a cursor points now; null if this schema version does not show the place.</summary>
    public CursorPosition? Locate(DocumentCursor cursor) => Read(document => document.Locate(cursor));

    /// <summary>Grants a permission to a person.</summary>
    public Task<GrantId> GrantAsync(AccountCard who, Permission permission, CancellationToken cancellationToken = default) =>
        GrantAsync(who.Actor, permission, cancellationToken);

    /// <summary>Grants Sync to a server or device.</summary>
    public Task<GrantId> GrantAsync(PeerId who, Permission permission, CancellationToken cancellationToken = default) =>
        GrantAsync(new PeerActor(who), permission, cancellationToken);

    /// <summary>Grants a permission to an actor, such as <see cref="AnyoneActor.Instance"/>.</summary>
    public Task<GrantId> GrantAsync(Actor who, Permission permission, CancellationToken cancellationToken = default) =>
        _home.AuthorAsync(Id, author => author.Grant(who, permission), cancellationToken);

    /// <summary>What a grant covers, by view path; null if its key is not here or this schema version does not show the place.</summary>
    public string? PathOf(GrantStatus grant) => Read(document => document.PathOf(grant));

    /// <summary>
    /// Writes what the document holds now as a snapshot, with which new devices begin instead of reading how it came about. <c>not-authorised</c>, <c>key-missing</c>.
    /// </summary>
    /// <returns>How many envelopes.</returns>
    public Task<int> SnapshotAsync(CancellationToken cancellationToken = default) => _home.AuthorAsync(Id, author => author.Snapshot(), cancellationToken);

    /// <summary>Ends a grant; readers who lose access get no later keys. <c>grant-not-found</c>, <c>not-authorised</c>.</summary>
    /// <returns>The revocation's envelope.</returns>
    public Task<EnvelopeId> RevokeAsync(GrantId grant, CancellationToken cancellationToken = default) =>
        _home.AuthorAsync(Id, author => author.Revoke(grant), cancellationToken);

    /// <summary>Checks everything held of this document again: every signature, chain, receipt and log head.</summary>
    public Verification Verify() => _home.Do(() => DocumentVerification.Run(_home, Id));

    private async Task<EditResult> EditAsync(Action<Transaction, Document> edit, CancellationToken cancellationToken)
    {
        var (envelope, operations) = await _home.AuthorAsync(
            Id,
            author =>
            {
                var document = _home.Replica.Open(Id);
                SchemaOf(document);
                return author.Edit(transaction => edit(transaction, document));
            },
            cancellationToken);
        return new(envelope, operations);
    }

    internal T Read<T>(Func<Document, T> read) => _home.Do(() => read(_home.Replica.Open(Id)));

    // Says who has to be online, where the document itself cannot know.
    private TlfsVersion SchemaOf(Document document)
    {
        try
        {
            return document.Schema;
        }
        catch (TlfsException e) when (e.Reason == Reason.KeyMissing && _home.People.Inviter(Id) is { } inviter)
        {
            var first = document.Log.Count == 0 ? "sync, or " : "";
            throw new TlfsException(Reason.KeyMissing, $"no key yet: {first}{inviter} must be online once", e);
        }
    }

    private static LogEntry Show(HeldEnvelope held, IReadOnlyList<string> receipts)
    {
        var header = held.Envelope.Header;
        return new(held.Envelope.Id, header.Author, header.Seq, header.Type, held.Outcome.Status, held.Outcome.Reason, held.Outcome.Why, receipts);
    }
}
