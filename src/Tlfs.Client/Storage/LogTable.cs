using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>
/// The logs as servers showed them, by index, and what they signed about them besides: heads that other devices saw, and generations. A row for each entry
/// costs 80 bytes, and makes the root at every size one look-up.
/// </summary>
internal sealed class LogTable(ReplicaDatabase database)
{
    private const string Document = "(SELECT number FROM document WHERE id = $1)";
    private const string Server = "(SELECT number FROM server WHERE id = $2)";

    /// <summary>What is stored of a log.</summary>
    public IPulledLog Of(Place at) => new Stored(database, at);

    /// <summary>True if the entry at an index is stored.</summary>
    public bool Has(Place at, ulong index) => database.Single(
        $"SELECT EXISTS(SELECT 1 FROM log_entry WHERE document = {Document} AND server = {Server} AND idx = $3)",
        reader => reader.GetBoolean(0), at.Document.Blob(), at.Server.Blob(), index.Signed());

    /// <summary>The envelopes for which a server gave a receipt although its log has another one at that place.</summary>
    public IReadOnlyList<(EnvelopeId Envelope, PeerId Server)> Displaced(DocId document) => database.Query(
        $"""
        SELECT e.id, s.id FROM envelope e JOIN held h ON h.row = e.row JOIN server s ON s.number = h.server
        JOIN log_entry l ON l.document = e.document AND l.server = h.server AND l.idx = h.size - 1
        WHERE e.document = {Document} AND h.receipt IS NOT NULL AND l.id <> e.id ORDER BY e.row
        """,
        reader => (reader.Id<EnvelopeId>(0), reader.Id<PeerId>(1)), document.Blob());

    /// <summary>Places of the log, from one on, of envelopes that are here without all of their parts.</summary>
    public IReadOnlyList<LogPlace> Partial(Place at, ulong from) => database.Query(
        $"""
        SELECT l.idx, l.id FROM log_entry l CROSS JOIN envelope e ON e.document = l.document AND e.id = l.id
        WHERE l.document = {Document} AND l.server = {Server} AND l.idx >= $3 AND e.present IS NOT NULL ORDER BY l.idx
        """,
        reader => new LogPlace((ulong)reader.GetInt64(0), reader.Id<EnvelopeId>(1)), at.Document.Blob(), at.Server.Blob(), from.Signed());

    /// <summary>Stores the next entries.</summary>
    public void Append(Place at, ulong first, IReadOnlyList<PulledId> entries)
    {
        var document = database.Single("SELECT number FROM document WHERE id = $1", reader => reader.GetInt64(0), at.Document.Blob());
        var server = CloudpeerTable.Number(database, at.Server);
        for (var i = 0; i < entries.Count; i++)
        {
            database.Execute(
                "INSERT OR REPLACE INTO log_entry(document, server, idx, id, root) VALUES($1, $2, $3, $4, $5)",
                document, server, (first + (ulong)i).Signed(), entries[i].Id.Blob(), entries[i].Root.ToArray());
        }
    }

    /// <summary>Heads that envelopes carry and that could not be compared yet.</summary>
    public IReadOnlyList<LogHead> Seen(Place at) => database.Query(
        $"SELECT head FROM seen WHERE document = {Document} AND server = {Server}", reader => LogBytes.DecodeHead(reader.Blob(0)), at.Document.Blob(), at.Server.Blob());

    /// <summary>Keeps a head until the log was pulled so far.</summary>
    public void SaveSeen(LogHead head) => database.Execute(
        $"INSERT OR IGNORE INTO seen(document, server, size, root, head) VALUES({Document}, $2, $3, $4, $5)",
        head.Document.Blob(), CloudpeerTable.Number(database, head.Server), head.Size.Signed(), head.Root.ToArray(), LogBytes.Encode(head));

    /// <summary>Forgets the heads that were compared.</summary>
    public void ForgetSeen(Place at, ulong upTo) => database.Execute(
        $"DELETE FROM seen WHERE document = {Document} AND server = {Server} AND size <= $3", at.Document.Blob(), at.Server.Blob(), upTo.Signed());

    /// <summary>The generations of a log that are known, oldest first.</summary>
    public IReadOnlyList<Generation> Generations(Place at) => database.Query(
        $"SELECT bytes FROM generation WHERE document = {Document} AND server = {Server} ORDER BY number",
        reader => LogBytes.DecodeGeneration(reader.Blob(0)), at.Document.Blob(), at.Server.Blob());

    /// <summary>The last restore that lost anything known here, or null.</summary>
    public RestoredLog? Restored(Place at)
    {
        var (bytes, lost) = database.Single(
            $"SELECT bytes, lost FROM generation WHERE document = {Document} AND server = {Server} AND lost > 0 ORDER BY number DESC",
            reader => (reader.Blob(0), reader.GetInt32(1)), at.Document.Blob(), at.Server.Blob());
        return bytes is null ? null : RestoredLog.Of(LogBytes.DecodeGeneration(bytes), lost);
    }

    /// <summary>
    /// Keeps a generation and forgets the log beyond what was restored: the server is not known to hold that any more.
    /// </summary>
    /// <returns>The number of envelopes that it lost, and its receipts for them.</returns>
    public (int Lost, IReadOnlyList<Receipt> Receipts) TakeBack(Generation generation)
    {
        object?[] at = [generation.Document.Blob(), generation.Server.Blob(), generation.Size.Signed()];
        const string Lost = $"""
            FROM held WHERE server = {Server} AND row IN (
                SELECT e.row FROM envelope e JOIN log_entry l ON l.document = e.document AND l.id = e.id
                WHERE l.document = {Document} AND l.server = {Server} AND l.idx >= $3
                UNION SELECT e.row FROM envelope e JOIN held h ON h.row = e.row WHERE e.document = {Document} AND h.server = {Server} AND h.size > $3)
            """;
        var receipts = database.Query($"SELECT receipt {Lost} AND receipt IS NOT NULL", reader => LogBytes.DecodeReceipt(reader.Blob(0)), at);
        database.Execute("INSERT OR IGNORE INTO lost(row, server) SELECT row, server " + Lost, at);
        var lost = database.Execute("DELETE " + Lost, at);
        database.Execute($"DELETE FROM log_entry WHERE document = {Document} AND server = {Server} AND idx >= $3", at);
        database.Execute($"UPDATE address SET pin_size = NULL, pin_root = NULL WHERE document = {Document} AND server = {Server} AND pin_size > $3", at);
        database.Execute(
            $"INSERT INTO generation(document, server, number, bytes, lost) VALUES({Document}, $2, $3, $4, $5)",
            generation.Document.Blob(), CloudpeerTable.Number(database, generation.Server), generation.Number, LogBytes.Encode(generation), lost);
        return (lost, receipts);
    }

    private sealed class Stored(ReplicaDatabase database, Place at) : IPulledLog
    {
        public Bytes32 RootAt(ulong size) => Entry("root", size - 1);

        public EnvelopeId IdAt(ulong index) => new(Entry("id", index));

        public IReadOnlyList<EnvelopeId> Ids(ulong count) => database.Query(
            $"SELECT id FROM log_entry WHERE document = {Document} AND server = {Server} AND idx < $3 ORDER BY idx",
            reader => reader.Id<EnvelopeId>(0), at.Document.Blob(), at.Server.Blob(), count.Signed());

        private Bytes32 Entry(string column, ulong index) => new(database.Single(
            $"SELECT {column} FROM log_entry WHERE document = {Document} AND server = {Server} AND idx = $3",
            reader => reader.Blob(0), at.Document.Blob(), at.Server.Blob(), index.Signed()) ?? throw new InvalidOperationException("a log entry is missing"));
    }
}
