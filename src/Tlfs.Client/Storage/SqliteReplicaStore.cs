using Microsoft.Data.Sqlite;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>A replica's documents in one SQLite file. Not thread-safe; several processes may use one home.</summary>
public sealed class SqliteReplicaStore : IReplicaStore
{
    private const int RowsAtOnce = 256;

    private readonly ReplicaDatabase _database;
    private readonly Writer _writer;

    internal SqliteReplicaStore(ReplicaDatabase database)
    {
        _database = database;
        _writer = new(database);
    }

    /// <summary>Opens the store in a folder and makes what is missing; folder and file are private to the user.</summary>
    /// <exception cref="TlfsException"><c>input-output</c>, <c>storage-full</c>, <c>busy</c>, <c>unsupported</c> for a newer file.</exception>
    public static SqliteReplicaStore Open(string home) => new(ReplicaDatabase.OpenOrCreate(home));

    internal ReplicaDatabase Database => _database;

    /// <inheritdoc />
    public IReadOnlyList<DocId> Documents() => _database.Query("SELECT id FROM document ORDER BY number", reader => reader.Id<DocId>(0));

    /// <inheritdoc />
    public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after)
    {
        const string Sql = """
            SELECT row, bundle, bytes, present FROM envelope
            WHERE document = (SELECT number FROM document WHERE id = $1) AND row > $2 ORDER BY row LIMIT $3
            """;
        List<StoredEnvelope> page;
        do
        {
            page = _database.Query(Sql, ReadEnvelope, document.Blob(), after, RowsAtOnce);
            foreach (var stored in page) yield return stored;
            if (page.Count > 0) after = page[^1].Row;
        }
        while (page.Count == RowsAtOnce);
    }

    /// <inheritdoc />
    public StoredEnvelope? Envelope(DocId document, long row) =>
        _database.Single("SELECT row, bundle, bytes, present FROM envelope WHERE row = $1", ReadEnvelope, row);

    /// <inheritdoc />
    public StoredCheckpoint? Checkpoint(DocId document) => _database.Single(
        "SELECT format, row, bytes, page, entries, hash FROM checkpoint WHERE document = (SELECT number FROM document WHERE id = $1)",
        reader => new StoredCheckpoint(
            reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2), new(reader.GetInt64(3), reader.GetInt32(4), new(reader.Blob(5)))),
        document.Blob());

    /// <inheritdoc />
    public ReadOnlyMemory<byte>? Page(DocId document, long page) => _database.Single(
        "SELECT bytes FROM page WHERE number = $1", reader => (ReadOnlyMemory<byte>?)CompressedPage.Unpack(reader.Blob(0)), page);

    /// <inheritdoc />
    public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => _database.Query(
        "SELECT id, seq, reason, micros, bytes FROM withdrawn WHERE document = (SELECT number FROM document WHERE id = $1) ORDER BY number",
        reader => new WithdrawnEdit(
            reader.Id<EnvelopeId>(0), (ulong)reader.GetInt64(1), ReasonText.TryParseUpperSnake(reader.GetString(2), out var reason) ? reason : Reason.Internal,
            (ulong)reader.GetInt64(3), reader.Blob(4)),
        document.Blob());

    /// <inheritdoc />
    public T Write<T>(Func<IReplicaWriter, T> work) => _database.Write(() => work(_writer));

    /// <inheritdoc />
    public void Dispose() => _database.Dispose();

    // No mask: all parts are here, as in files that were made before parts could be withheld.
    private static StoredEnvelope ReadEnvelope(SqliteDataReader reader) =>
        new(reader.GetInt64(0), reader.GetInt64(1), reader.Blob(2), reader.NumberOrNull(3) is { } present ? (ulong)present : null);

    private sealed class Writer(ReplicaDatabase database) : IReplicaWriter
    {
        public void AddDocument(DocId document) => database.Execute("INSERT OR IGNORE INTO document(id) VALUES($1)", document.Blob());

        // What is removed is overwritten, keys and all; and nobody is invited to it any more.
        public void RemoveDocument(DocId document)
        {
            database.Execute("PRAGMA secure_delete = ON");
            database.Execute("DELETE FROM outgoing WHERE document = $1", document.Blob());
            database.Execute("DELETE FROM document WHERE id = $1", document.Blob());
            database.Execute("PRAGMA secure_delete = FAST");
        }

        public long Append(DocId document, IReadOnlyList<Envelope> bundle)
        {
            var number = Number(document);
            long first = 0, row = 0;
            foreach (var envelope in bundle)
            {
                row = database.Insert(
                    "INSERT INTO envelope(document, bundle, id, bytes, present) VALUES($1, $2, $3, $4, $5)",
                    number, first, envelope.Id.Blob(), envelope.Bytes.ToArray(), Present(envelope));
                if (first == 0) database.Execute("UPDATE envelope SET bundle = row WHERE row = $1", first = row);
            }

            return row;
        }

        public void Fill(DocId document, long row, Envelope envelope) => database.Execute(
            "UPDATE envelope SET bytes = $3, present = $4 WHERE document = $1 AND row = $2", Number(document), row, envelope.Bytes.ToArray(), Present(envelope));

        public long AppendPage(DocId document, ReadOnlyMemory<byte> page) =>
            database.Insert("INSERT INTO page(document, bytes) VALUES($1, $2)", Number(document), CompressedPage.Pack(page.Span));

        public void SaveCheckpoint(DocId document, StoredCheckpoint checkpoint, IReadOnlyList<long> freed)
        {
            var number = Number(document);
            database.Execute("DELETE FROM page WHERE document = $1 AND freed = 1", number);
            foreach (var page in freed) database.Execute("UPDATE page SET freed = 1 WHERE number = $1", page);
            database.Execute(
                "INSERT OR REPLACE INTO checkpoint(document, format, row, bytes, page, entries, hash) VALUES($1, $2, $3, $4, $5, $6, $7)",
                number, checkpoint.Format, checkpoint.Row, checkpoint.Bytes, checkpoint.Root.Page, checkpoint.Root.Count, checkpoint.Root.Hash.ToArray());
        }

        public void DropCheckpoint(DocId document)
        {
            database.Execute("DELETE FROM checkpoint WHERE document = $1", Number(document));
            database.Execute("DELETE FROM page WHERE document = $1", Number(document));
        }

        public IReadOnlyList<long> Withdraw(DocId document, IReadOnlyList<long> rows, IReadOnlyList<WithdrawnEdit> edits)
        {
            var number = Number(document);
            foreach (var edit in edits)
            {
                database.Execute(
                    "INSERT OR REPLACE INTO withdrawn(document, id, seq, bytes, reason, micros) VALUES($1, $2, $3, $4, $5, $6)",
                    number, edit.Envelope.Blob(), edit.Seq.Signed(), edit.Bytes.ToArray(), edit.Reason.ToUpperSnake(), edit.Micros.Signed());
            }

            foreach (var row in rows) database.Execute("DELETE FROM envelope WHERE document = $1 AND row = $2", number, row);
            database.Execute("DELETE FROM checkpoint WHERE document = $1", number);
            return database.Query("SELECT number FROM page WHERE document = $1 AND freed = 0", reader => reader.GetInt64(0), number);
        }

        public void ForgetWithdrawn(DocId document) => database.Execute("DELETE FROM withdrawn WHERE document = $1", Number(document));

        private static long? Present(Envelope envelope) => envelope.IsWhole ? null : (long)envelope.Present;

        private long Number(DocId document)
        {
            var number = database.Single("SELECT number FROM document WHERE id = $1", reader => reader.GetInt64(0), document.Blob());
            return number != 0 ? number : throw new InvalidOperationException("a document that was not added");
        }
    }
}
