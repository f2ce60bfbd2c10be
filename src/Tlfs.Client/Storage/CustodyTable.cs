using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>A document at a server, by the numbers that stand for them.</summary>
internal readonly record struct Place(DocId Document, PeerId Server);

/// <summary>A verified receipt and the server that gave it.</summary>
internal sealed record HeldReceipt(EnvelopeId Envelope, PeerId Server, Receipt Receipt);

/// <summary>
/// Which server holds which envelopes, as proven by receipts and pulls; how far each log was pulled; what was refused; and which servers are not
/// trusted any more. What no server is known to hold is the outbox.
/// </summary>
internal sealed class CustodyTable(ReplicaDatabase database)
{
    private const string Document = "(SELECT number FROM document WHERE id = $1)";
    private const string Server = "(SELECT number FROM server WHERE id = $2)";

    // What is here in part only came from somewhere else, and cannot be passed on.
    private const string Outbox = $"""
        FROM envelope e WHERE e.document = {Document} AND e.present IS NULL AND NOT EXISTS(SELECT 1 FROM held h WHERE h.row = e.row AND h.server = {Server})
        """;

    private readonly LogTable _logs = new(database);
    private readonly EvidenceTable _evidence = new(database);

    /// <summary>The cursor, with all that was promised for the log beyond it.</summary>
    public LogCursor Cursor(Place at)
    {
        var stored = database.Single(
            $"SELECT pulled, head FROM progress WHERE document = {Document} AND server = {Server}",
            reader => (Pulled: reader.Blob(0), Head: reader.BlobOrNull(1)), at.Document.Blob(), at.Server.Blob());
        if (!CompactRange.TryDecode(stored.Pulled ?? CompactRange.Empty.Encode(), out var pulled))
            throw new TlfsException(Reason.InputOutput, "the replica's log cursor is damaged; restore the replica from an export");

        // Without its entries the log is pulled once more, and must be the same.
        var begun = pulled.Size > 0 && !_logs.Has(at, pulled.Size - 1) ? CompactRange.Empty : pulled;
        var cursor = new LogCursor(
            at.Document, at.Server, begun, stored.Head is null ? null : LogBytes.DecodeHead(stored.Head), _logs.Generations(at), _logs.Of(at));
        cursor.Promise(pulled.Size, pulled.Root);
        return AddPromises(cursor, at);
    }

    /// <summary>Stores the cursor, and when a head was accepted, when that was.</summary>
    public void Save(LogCursor cursor, ulong? confirmedMicros) => database.Write(() =>
    {
        var place = new Place(cursor.Document, cursor.Server);
        EnsureProgress(place);
        database.Execute(
            $"UPDATE progress SET pulled = $3, head = $4, confirmed = coalesce($5, confirmed) WHERE document = {Document} AND server = {Server}",
            cursor.Document.Blob(), cursor.Server.Blob(), cursor.Pulled.Encode(), cursor.Head is null ? null : LogBytes.Encode(cursor.Head), confirmedMicros?.Signed());
        _logs.Append(place, cursor.Pulled.Size - (ulong)cursor.Appended.Count, cursor.Appended);
        cursor.MarkStored(_logs.Of(place));
        if (confirmedMicros is not null) _logs.ForgetSeen(place, cursor.Pulled.Size);
        return true;
    });

    /// <summary>The last head that was accepted, or null.</summary>
    public LogHead? Head(Place at) => database.Single(
        $"SELECT head FROM progress WHERE document = {Document} AND server = {Server}",
        reader => reader.BlobOrNull(0), at.Document.Blob(), at.Server.Blob()) is { } head ? LogBytes.DecodeHead(head) : null;

    /// <summary>When the last head was accepted.</summary>
    public ulong? Confirmed(Place at) => database.Single(
        $"SELECT confirmed FROM progress WHERE document = {Document} AND server = {Server}", reader => reader.NumberOrNull(0), at.Document.Blob(), at.Server.Blob());

    /// <summary>Ends the trust in a server for a document, and keeps what proves it. What it does later is no news.</summary>
    public void SaveFault(Place at, LogFault fault, ulong micros) => database.Write(() =>
    {
        EnsureProgress(at);
        var isNew = database.Execute(
            $"UPDATE progress SET fault = $3, fault_text = $4 WHERE document = {Document} AND server = {Server} AND fault IS NULL",
            at.Document.Blob(), at.Server.Blob(), fault.Reason.ToUpperSnake(), fault.Message) > 0;
        if (isNew) _evidence.Save(at, fault, micros);
        return true;
    });

    /// <summary>
    /// Takes a generation that the cursor accepted (log.md §6.2): what lies beyond is not sent any more, the receipts for it are evidence, and the server
    /// is trusted again if a rollback was all that it was not trusted for.
    /// </summary>
    /// <returns>What the server lost; null if nothing that is known here.</returns>
    public RestoredLog? TakeBack(LogCursor cursor, Generation generation, LogHead? lostHead, ulong micros) => database.Write(() =>
    {
        var place = new Place(cursor.Document, cursor.Server);
        EnsureProgress(place);
        var (lost, receipts) = _logs.TakeBack(generation);
        Save(cursor, null);
        database.Execute(
            $"UPDATE progress SET fault = NULL, fault_text = NULL WHERE document = {Document} AND server = {Server} AND fault = $3",
            place.Document.Blob(), place.Server.Blob(), Reason.ServerRollback.ToUpperSnake());
        LogStatement[] statements = [.. lostHead is null ? [] : new[] { new HeadStatement(lostHead) }, .. receipts.Select(receipt => new ReceiptStatement(receipt))];
        foreach (var some in statements.Chunk(Evidence.MaxStatements))
        {
            _evidence.Save(
                place,
                new(EvidenceKind.Restored, place.Document, place.Server, some, cursor.Generations),
                "the server was restored from a backup and lost what it had acknowledged",
                micros);
        }

        return lost == 0 ? null : RestoredLog.Of(generation, lost);
    });

    /// <summary>Why the server is not trusted with the document, or null.</summary>
    public TlfsException? Fault(Place at)
    {
        var (reason, text) = database.Single(
            $"SELECT fault, fault_text FROM progress WHERE document = {Document} AND server = {Server} AND fault IS NOT NULL",
            reader => (reader.GetString(0), reader.GetString(1)), at.Document.Blob(), at.Server.Blob());
        if (reason is null) return null;
        return new(ReasonText.TryParseUpperSnake(reason, out var known) ? known : Reason.Internal, text);
    }

    /// <summary>The envelopes that the server is not known to hold, in the order of the store.</summary>
    public List<StoredEnvelope> Unsent(Place at, long after, int max) => database.Query(
        $"SELECT e.row, e.bundle, e.bytes {Outbox} AND e.row > $3 ORDER BY e.row LIMIT $4",
        reader => new StoredEnvelope(reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2)), at.Document.Blob(), at.Server.Blob(), after, max);

    public int UnsentCount(Place at) =>
        database.Single($"SELECT count(*) {Outbox}", reader => reader.GetInt32(0), at.Document.Blob(), at.Server.Blob());

    /// <summary>True if the server is known to hold anything of the document.</summary>
    public bool HoldsAny(Place at) => database.Single(
        $"SELECT EXISTS(SELECT 1 FROM envelope e JOIN held h ON h.row = e.row WHERE e.document = {Document} AND h.server = {Server})",
        reader => reader.GetBoolean(0), at.Document.Blob(), at.Server.Blob());

    public int EnvelopeCount(DocId document) =>
        database.Single($"SELECT count(*) FROM envelope WHERE document = {Document}", reader => reader.GetInt32(0), document.Blob());

    /// <summary>True if this replica holds the envelope.</summary>
    public bool Has(DocId document, EnvelopeId envelope) => database.Single(
        $"SELECT EXISTS(SELECT 1 FROM envelope WHERE document = {Document} AND id = $2)", reader => reader.GetBoolean(0), document.Blob(), envelope.Blob());

    /// <summary>True if the server is known to hold the envelope.</summary>
    public bool IsHeldBy(Place at, EnvelopeId envelope) => database.Single(
        $"SELECT EXISTS(SELECT 1 FROM envelope e JOIN held h ON h.row = e.row WHERE e.document = {Document} AND h.server = {Server} AND e.id = $3)",
        reader => reader.GetBoolean(0), at.Document.Blob(), at.Server.Blob(), envelope.Blob());

    /// <summary>True if any server is known to hold the envelope, or held it before it was restored: then others may have it.</summary>
    public bool IsHeld(DocId document, EnvelopeId envelope) => database.Single(
        $"""
        SELECT EXISTS(SELECT 1 FROM envelope e WHERE e.document = {Document} AND e.id = $2
            AND (EXISTS(SELECT 1 FROM held h WHERE h.row = e.row) OR EXISTS(SELECT 1 FROM lost l WHERE l.row = e.row)))
        """,
        reader => reader.GetBoolean(0), document.Blob(), envelope.Blob());

    /// <summary>Notes that the server showed these envelopes in its log.</summary>
    public void MarkPulled(Place at, IEnumerable<EnvelopeId> envelopes) => database.Write(() =>
    {
        var server = CloudpeerTable.Number(database, at.Server);
        foreach (var envelope in envelopes) Mark(at.Document, server, envelope, null, null);
        return true;
    });

    /// <summary>Keeps verified receipts: their envelopes are sent.</summary>
    public void MarkReceived(Place at, IEnumerable<Receipt> receipts) => database.Write(() =>
    {
        var server = CloudpeerTable.Number(database, at.Server);
        foreach (var receipt in receipts) Mark(at.Document, server, receipt.Leaf.Envelope, receipt.Leaf.Size, LogBytes.Encode(receipt));
        return true;
    });

    /// <summary>Keeps why the server refused envelopes; they stay in the outbox.</summary>
    public void SaveRefused(Place at, IEnumerable<RefusedEnvelope> refused) => database.Write(() =>
    {
        var server = CloudpeerTable.Number(database, at.Server);
        foreach (var each in refused)
        {
            database.Execute(
                $"""
                INSERT OR REPLACE INTO refused(row, server, reason, message, resource, quota_limit, quota_used)
                SELECT row, $3, $4, $5, $6, $7, $8 FROM envelope WHERE document = {Document} AND id = $2
                """,
                at.Document.Blob(), each.Envelope.Blob(), server, each.Reason.ToUpperSnake(), each.Message,
                each.Quota?.Resource.ToText(), each.Quota?.Limit.Signed(), each.Quota?.Used.Signed());
        }

        return true;
    });

    /// <summary>What the server refused and does not hold.</summary>
    public IReadOnlyList<RefusedEnvelope> Refused(Place at) => database.Query(
        $"SELECT e.id, r.reason, r.message, r.resource, r.quota_limit, r.quota_used FROM envelope e JOIN refused r ON r.row = e.row WHERE e.document = {Document} AND r.server = {Server} ORDER BY e.row",
        reader => new RefusedEnvelope(
            reader.Id<EnvelopeId>(0), ReasonText.TryParseUpperSnake(reader.GetString(1), out var reason) ? reason : Reason.Internal, reader.GetString(2))
        {
            Quota = QuotaResourceText.TryParse(reader.TextOrNull(3), out var resource)
                ? new(resource, reader.NumberOrNull(4) ?? 0, reader.NumberOrNull(5) ?? 0)
                : null,
        },
        at.Document.Blob(), at.Server.Blob());

    /// <summary>Keeps what the server refused in the place of what it refused before. The same is not written again: whoever shares the file would be woken for nothing.</summary>
    public void ReplaceRefused(Place at, IReadOnlyCollection<RefusedEnvelope> refused)
    {
        if (Refused(at).ToHashSet().SetEquals(refused)) return;
        database.Write(() =>
        {
            database.Execute(
                $"DELETE FROM refused WHERE server = {Server} AND row IN (SELECT row FROM envelope WHERE document = {Document})", at.Document.Blob(), at.Server.Blob());
            SaveRefused(at, refused);
            return true;
        });
    }

    /// <summary>All receipts held for a document.</summary>
    public IReadOnlyList<HeldReceipt> Receipts(DocId document) => database.Query(
        $"""
        SELECT e.id, s.id, h.receipt FROM envelope e JOIN held h ON h.row = e.row JOIN server s ON s.number = h.server
        WHERE e.document = {Document} AND h.receipt IS NOT NULL ORDER BY e.row
        """,
        reader => new HeldReceipt(reader.Id<EnvelopeId>(0), reader.Id<PeerId>(1), LogBytes.DecodeReceipt(reader.Blob(2))), document.Blob());

    /// <summary>The servers of which a cursor is kept for a document.</summary>
    public IReadOnlyList<PeerId> Servers(DocId document) => database.Query(
        $"SELECT s.id FROM progress p JOIN server s ON s.number = p.server WHERE p.document = {Document}", reader => reader.Id<PeerId>(0), document.Blob());

    /// <summary>Notes that a document is about to be deleted on its servers, or with null that it is not any more.</summary>
    public void SaveDeleting(DocId document, ulong? micros) => database.Execute("UPDATE document SET deleting = $2 WHERE id = $1", document.Blob(), micros?.Signed());

    /// <summary>The documents that are being deleted since some time or later: nobody sends them meanwhile. A process that died leaves its note to time.</summary>
    public HashSet<DocId> Deleting(ulong sinceMicros) =>
        [.. database.Query("SELECT id FROM document WHERE deleting >= $1", reader => reader.Id<DocId>(0), sinceMicros.Signed())];

    /// <summary>Where invitations said that a document is held.</summary>
    public IReadOnlyList<InvitedServer> Addresses(DocId document) => database.Query(
        $"SELECT s.id, a.url FROM address a JOIN server s ON s.number = a.server WHERE a.document = {Document} ORDER BY s.number",
        reader => new InvitedServer(reader.Id<PeerId>(0), reader.GetString(1)), document.Blob());

    /// <summary>Keeps what an accepted invitation says of a document's servers, in place of what was said of them before: for a document that is not here yet.</summary>
    public void SaveAddresses(Invitation invitation) => database.Write(() =>
    {
        foreach (var server in invitation.Servers)
        {
            var pin = invitation.Heads.FirstOrDefault(head => head.Server == server.Server);
            database.Execute(
                $"INSERT OR REPLACE INTO address(document, server, url, pin_size, pin_root) VALUES({Document}, $2, $3, $4, $5)",
                invitation.Document.Blob(), CloudpeerTable.Number(database, server.Server), server.Url, pin?.Size.Signed(), pin?.Root.ToArray());
        }

        return true;
    });

    /// <summary>Keeps where a document is held too, as somebody who may say so said (docs/protocol/account.md §5); what is known of its log there stays.</summary>
    public void SaveAddress(DocId document, InvitedServer server) => database.Execute(
        $"INSERT INTO address(document, server, url) VALUES({Document}, $2, $3) ON CONFLICT(document, server) DO UPDATE SET url = excluded.url",
        document.Blob(), CloudpeerTable.Number(database, server.Server), server.Url);

    /// <summary>Forgets where a document was held.</summary>
    public void RemoveAddress(DocId document, PeerId server) => database.Execute(
        $"DELETE FROM address WHERE document = {Document} AND server = {Server}", document.Blob(), server.Blob());

    /// <summary>The ids of all envelopes held, also of those of which parts are withheld.</summary>
    public IReadOnlyList<EnvelopeId> Ids(DocId document) =>
        database.Query($"SELECT id FROM envelope WHERE document = {Document}", reader => reader.Id<EnvelopeId>(0), document.Blob());

    /// <summary>Up to where this device has said that it holds a document (docs/protocol/sync.md §8); 0 if it has not.</summary>
    public ulong Acked(Place at) => database.Single(
        $"SELECT size FROM acked WHERE document = {Document} AND server = {Server}", reader => reader.NumberOrNull(0), at.Document.Blob(), at.Server.Blob()) ?? 0;

    /// <summary>Takes note that the server was told.</summary>
    public void SaveAcked(Place at, ulong size) => database.Execute(
        $"INSERT OR REPLACE INTO acked(document, server, size) VALUES({Document}, $2, $3)",
        at.Document.Blob(), CloudpeerTable.Number(database, at.Server), size.Signed());

    private void Mark(DocId document, long server, EnvelopeId envelope, ulong? size, byte[]? receipt)
    {
        database.Execute(
            $"""
            INSERT INTO held(row, server, size, receipt) SELECT row, $2, $4, $5 FROM envelope WHERE document = {Document} AND id = $3
            ON CONFLICT(row, server) DO UPDATE SET size = coalesce(held.size, excluded.size), receipt = coalesce(held.receipt, excluded.receipt)
            """,
            document.Blob(), server, envelope.Blob(), size?.Signed(), receipt);
        database.Execute($"DELETE FROM refused WHERE server = $2 AND row = (SELECT row FROM envelope WHERE document = {Document} AND id = $3)", document.Blob(), server, envelope.Blob());
    }

    // Each promise was checked against the cursor when it was made, except that of an invitation, which the first pull checks. What other devices saw is left
    // out: a pull compares it once the server has told of its generations.
    private LogCursor AddPromises(LogCursor cursor, Place at)
    {
        var (size, root) = database.Single(
            $"SELECT pin_size, pin_root FROM address WHERE document = {Document} AND server = {Server} AND pin_size IS NOT NULL",
            reader => (reader.NumberOrNull(0), reader.BlobOrNull(1)), at.Document.Blob(), at.Server.Blob());
        if (size is { } pinned && root is not null) cursor.Promise(pinned, new Bytes32(root));
        var receipts = database.Query(
            $"SELECT h.receipt FROM envelope e JOIN held h ON h.row = e.row WHERE e.document = {Document} AND h.server = {Server} AND h.size > $3",
            reader => LogBytes.DecodeReceipt(reader.Blob(0)), at.Document.Blob(), at.Server.Blob(), cursor.Pulled.Size.Signed());
        foreach (var receipt in receipts) cursor.Take(receipt, isNew: false);
        return cursor;
    }

    private void EnsureProgress(Place at) => database.Execute(
        $"INSERT OR IGNORE INTO progress(document, server, pulled) VALUES({Document}, $2, $3)",
        at.Document.Blob(), CloudpeerTable.Number(database, at.Server), CompactRange.Empty.Encode());
}
