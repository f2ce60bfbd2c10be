using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;
using Npgsql;
using NpgsqlTypes;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>A group commit on PostgreSQL: one round trip to lock and read, one to write, one to commit.</summary>
internal sealed class PostgresTransaction : IRelayTransaction
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly PostgresNotices _notices;
    private readonly Dictionary<DocId, DocumentState> _documents = [];
    private readonly Dictionary<AccountId, ulong> _usedBytes = [];

    private PostgresTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, PostgresNotices notices)
    {
        _notices = notices;
        _connection = connection;
        _transaction = transaction;
    }

    /// <inheritdoc />
    public IReadOnlyDictionary<DocId, DocumentState> Documents => _documents;

    /// <inheritdoc />
    public IReadOnlyDictionary<AccountId, ulong> UsedBytes => _usedBytes;

    /// <summary>See <see cref="IRelayStore.BeginAsync"/>.</summary>
    public static async Task<IRelayTransaction> BeginAsync(
        NpgsqlDataSource source,
        PostgresNotices notices,
        IReadOnlyCollection<DocId> documents,
        IReadOnlyCollection<AccountId> tenants,
        CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var begun = new PostgresTransaction(connection, await connection.BeginTransactionAsync(cancellationToken), notices);
            await begun.LockAsync(documents, tenants, cancellationToken);
            return begun;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        try
        {
            await using var batch = new NpgsqlBatch(_connection, _transaction);
            SaveDocuments(batch, [.. commit.Documents.OrderBy(state => state.Document)]);
            SaveUsage(batch, commit.UsedBytes);
            SaveEntries(batch, commit);
            batch.BatchCommands.Add(_notices.Tell([.. commit.Documents.Select(state => state.Document)]));
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await _transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (DatabaseFailure.IsUniqueViolation(e) || e.SqlState is PostgresErrorCodes.DeadlockDetected)
        {
            // A row that did not exist could not be locked, and another process has made it since.
            return false;
        }
    });

    /// <summary>A parameter that is an array of byte strings.</summary>
    public static NpgsqlParameter Bytes(IEnumerable<byte[]> values) => Array(NpgsqlDbType.Bytea, values);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    // Each statement sees what was committed before it began, so the second one finds the tenants of the documents that the first one locked.
    private async Task LockAsync(IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken)
    {
        var ids = documents.Select(id => id.Value.ToArray()).ToArray();
        await using var batch = new NpgsqlBatch(_connection, _transaction);
        Add(batch, "SET LOCAL synchronous_commit = on");
        Add(batch, $"SELECT {StoredState.Columns} FROM document WHERE doc = ANY ($1) ORDER BY doc FOR UPDATE", Bytes(ids));
        Add(
            batch,
            """
            SELECT account, stored_bytes FROM usage
            WHERE account = ANY ($2) OR account IN (SELECT host FROM document WHERE doc = ANY ($1)) ORDER BY account FOR UPDATE
            """,
            Bytes(ids),
            Bytes(tenants.Select(id => id.Value.ToArray())));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var state = StoredState.Read(reader);
            _documents.Add(state.Document, state);
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) AddUsage(reader);
    }

    private void AddUsage(NpgsqlDataReader row) => _usedBytes.Add(Id.From<AccountId>(row.GetFieldValue<byte[]>(0)), (ulong)row.GetInt64(1));

    // If the row of a document was made by another process meanwhile, then so was its first envelope, and that insert fails.
    private static void SaveDocuments(NpgsqlBatch batch, IReadOnlyList<DocumentState> states) => Add(
        batch,
        """
        INSERT INTO document (doc, host, hosting, frontier, statements, stored_bytes, tips)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (doc) DO UPDATE SET host = excluded.host, hosting = excluded.hosting, frontier = excluded.frontier,
            statements = excluded.statements, stored_bytes = excluded.stored_bytes, tips = excluded.tips
        """,
        Bytes(states.Select(state => state.Document.Value.ToArray())),
        Bytes(states.Select(state => state.Host.Value.ToArray())),
        Array(NpgsqlDbType.Smallint, states.Select(state => (short)state.Hosting)),
        Bytes(states.Select(state => state.Log.Encode())),
        Array(NpgsqlDbType.Integer, states.Select(state => state.Statements)),
        Array(NpgsqlDbType.Bigint, states.Select(state => (long)state.StoredBytes)),
        Bytes(states.Select(state => StoredState.EncodeTips(state.Tips))));

    private void SaveUsage(NpgsqlBatch batch, IReadOnlyDictionary<AccountId, ulong> usedBytes)
    {
        var all = usedBytes.OrderBy(usage => usage.Key).ToLookup(usage => _usedBytes.ContainsKey(usage.Key));
        Save("UPDATE usage SET stored_bytes = changed.bytes FROM unnest($1, $2) AS changed (account, bytes) WHERE usage.account = changed.account", true);
        Save("INSERT INTO usage (account, stored_bytes) SELECT * FROM unnest($1, $2)", false);

        void Save(string sql, bool known)
        {
            if (!all[known].Any()) return;
            Add(
                batch,
                sql,
                Bytes(all[known].Select(usage => usage.Key.Value.ToArray())),
                Array(NpgsqlDbType.Bigint, all[known].Select(usage => (long)usage.Value)));
        }
    }

    private static void SaveEntries(NpgsqlBatch batch, GroupCommit commit) => Add(
        batch,
        """
        WITH saved AS (INSERT INTO group_commit (micros, receipt_hashes, signature) VALUES ($1, $2, $3) RETURNING id)
        INSERT INTO envelope (commit_id, doc, idx, id, author, seq, author_prev_idx, kind, root, position, header, signature, body, parts)
        SELECT saved.id, entry.* FROM saved, unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS entry
        """,
        new() { Value = (long)commit.Micros, NpgsqlDbType = NpgsqlDbType.Bigint },
        new() { Value = StoredEnvelope.Encode(commit.ReceiptHashes), NpgsqlDbType = NpgsqlDbType.Bytea },
        new() { Value = commit.Signature, NpgsqlDbType = NpgsqlDbType.Bytea },
        Bytes(commit.Entries.Select(entry => entry.Envelope.Header.Document.Value.ToArray())),
        Array(NpgsqlDbType.Bigint, commit.Entries.Select(entry => (long)entry.Index)),
        Bytes(commit.Entries.Select(entry => entry.Envelope.Id.Value.ToArray())),
        Bytes(commit.Entries.Select(entry => entry.Envelope.Header.Author.Value.ToArray())),
        Array(NpgsqlDbType.Bigint, commit.Entries.Select(entry => (long)entry.Envelope.Header.Seq)),
        Array(NpgsqlDbType.Bigint, commit.Entries.Select(entry => (long?)entry.AuthorPreviousIndex)),
        Array(NpgsqlDbType.Smallint, commit.Entries.Select(entry => (short)entry.Envelope.Header.Type)),
        Bytes(commit.Entries.Select(entry => entry.Root.ToArray())),
        Array(NpgsqlDbType.Integer, commit.Entries.Select(entry => entry.Position)),
        Bytes(commit.Entries.Select(entry => entry.Envelope.HeaderBytes.ToArray())),
        Bytes(commit.Entries.Select(entry => entry.Envelope.Signature.ToArray())),
        Bytes(commit.Entries.Select(entry => entry.Envelope.Body.ToArray())),
        Bytes(commit.Entries.Select(entry => entry.Envelope.PartBytes.ToArray())));

    private static void Add(NpgsqlBatch batch, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
#pragma warning disable CA2100 // The texts are the constants of this class.
        var command = new NpgsqlBatchCommand(sql);
#pragma warning restore CA2100
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter Array<T>(NpgsqlDbType type, IEnumerable<T> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}
