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
    private readonly BlobFolder _blobs;
    private readonly Dictionary<DocId, DocumentState> _documents = [];
    private readonly Dictionary<DocId, DeletedDocument> _deleted = [];
    private readonly Dictionary<AccountId, TenantUsage> _usage = [];

    private PostgresTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, BlobFolder blobs, PostgresNotices notices)
    {
        _notices = notices;
        _connection = connection;
        _transaction = transaction;
        _blobs = blobs;
    }

    /// <inheritdoc />
    public IReadOnlyDictionary<DocId, DocumentState> Documents => _documents;

    /// <inheritdoc />
    public IReadOnlyDictionary<DocId, DeletedDocument> Deleted => _deleted;

    /// <inheritdoc />
    public IReadOnlyDictionary<AccountId, TenantUsage> Usage => _usage;

    /// <summary>See <see cref="IRelayStore.BeginAsync"/>.</summary>
    public static async Task<IRelayTransaction> BeginAsync(
        NpgsqlDataSource source,
        BlobFolder blobs,
        PostgresNotices notices,
        IReadOnlyCollection<DocId> documents,
        IReadOnlyCollection<AccountId> tenants,
        CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var begun = new PostgresTransaction(connection, await connection.BeginTransactionAsync(cancellationToken), blobs, notices);
            await begun.LockAsync(documents, tenants, cancellationToken);
            if (begun._documents.Count < documents.Count) await begun.FindDeletedAsync(documents, cancellationToken);
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
        var saved = await _blobs.SaveAsync(commit.Entries, cancellationToken);
        try
        {
            await using var batch = new NpgsqlBatch(_connection, _transaction);
            SaveDocuments(batch, [.. commit.Documents.OrderBy(state => state.Document)]);
            SaveUsage(batch, commit.Usage);
            if (commit.Entries.Count > 0) SaveEntries(batch, commit, saved);
            if (commit.Documents.Count > 0) batch.BatchCommands.Add(_notices.Tell([.. commit.Documents.Select(state => state.Document)]));
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

    /// <inheritdoc />
    public Task DeleteAsync(DocumentDeletion deletion, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using (var batch = new NpgsqlBatch(_connection, _transaction))
        {
            SaveUsage(batch, [deletion.Host]);
            batch.BatchCommands.Add(_notices.Tell([deletion.Document.Document]));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        var blobs = await StoredDeletions.DeleteAsync(_connection, _transaction, deletion, cancellationToken);
        await _transaction.CommitAsync(cancellationToken);
        _blobs.Delete(blobs);
        return true;
    });

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<UsageShare, ulong>> FindSharesAsync(
        AccountId tenant, IReadOnlyCollection<UsageShare> shares, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using var command = new NpgsqlCommand(
            "SELECT kind, holder, stored_bytes FROM usage_share WHERE account = $1 AND (kind, holder) IN (SELECT * FROM unnest($2, $3))", _connection, _transaction);
        command.Parameters.Add(new() { Value = tenant.Value.ToArray(), NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(Array(NpgsqlDbType.Smallint, shares.Select(share => (short)share.Kind)));
        command.Parameters.Add(Bytes(shares.Select(share => share.ToHolder())));
        var found = await StoredUsage.ListAsync(command, StoredUsage.ReadShare, cancellationToken);
        return (IReadOnlyDictionary<UsageShare, ulong>)found.ToDictionary(each => each.Share, each => each.Bytes);
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
        // A pooler may give a transaction another session than the one that said how it commits.
        // The lengths of the arrays vary, which is no reason to plan anew; and a plan that was made while there was little must not read everything later.
        Add(
            batch,
            "SELECT set_config('synchronous_commit', 'on', true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)");
        Add(batch, $"SELECT {StoredState.Columns} FROM document WHERE doc = ANY ($1) ORDER BY doc FOR UPDATE", Bytes(ids));
        Add(
            batch,
            $"""
            SELECT account, {StoredUsage.Columns} FROM usage
            WHERE account = ANY (ARRAY (SELECT host FROM document WHERE doc = ANY ($1)) || $2) ORDER BY account FOR UPDATE
            """,
            Bytes(ids),
            Bytes(tenants.Select(id => id.Value.ToArray())));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var state = StoredState.Read(reader);
            _documents.Add(state.Document, state);
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) AddUsage(reader);
    }

    private void AddUsage(NpgsqlDataReader row) => _usage.Add(Id.From<AccountId>(row.GetFieldValue<byte[]>(0)), StoredUsage.Read(row, 1));

    private async Task FindDeletedAsync(IEnumerable<DocId> documents, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT doc, number, purged, micros FROM deleted WHERE doc = ANY ($1)", _connection, _transaction);
        command.Parameters.Add(Bytes(documents.Where(id => !_documents.ContainsKey(id)).Select(id => id.Value.ToArray())));
        var found = await StoredUsage.ListAsync(
            command,
            row => (
                Id: Id.From<DocId>(row.GetFieldValue<byte[]>(0)),
                Deleted: new DeletedDocument((uint)row.GetInt64(1), row.GetBoolean(2)) { Micros = (ulong)row.GetInt64(3) }),
            cancellationToken);
        foreach (var each in found) _deleted.Add(each.Id, each.Deleted);
    }

    // If the row of a document was made by another process meanwhile, then so was its first envelope, and that insert fails.
    private static void SaveDocuments(NpgsqlBatch batch, IReadOnlyList<DocumentState> states) => Add(
        batch,
        """
        INSERT INTO document (doc, host, hosting, frontier, statements, stored_bytes, tips, app, generation, author_bytes)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (doc) DO UPDATE SET hosting = excluded.hosting, frontier = excluded.frontier, statements = excluded.statements,
            stored_bytes = excluded.stored_bytes, tips = excluded.tips, author_bytes = excluded.author_bytes
        """,
        Bytes(states.Select(state => state.Document.Value.ToArray())),
        Bytes(states.Select(state => state.Host.Value.ToArray())),
        Array(NpgsqlDbType.Smallint, states.Select(state => (short)state.Hosting)),
        Bytes(states.Select(state => state.Log.Encode())),
        Array(NpgsqlDbType.Integer, states.Select(state => state.Statements)),
        Array(NpgsqlDbType.Bigint, states.Select(state => (long)state.StoredBytes)),
        Bytes(states.Select(state => StoredState.EncodeTips(state.Tips))),
        Array(NpgsqlDbType.Text, states.Select(state => state.App)),
        Array(NpgsqlDbType.Bigint, states.Select(state => (long)state.Generation)),
        Bytes(states.Select(state => StoredUsage.EncodeAuthors(state.Tips))));

    private void SaveUsage(NpgsqlBatch batch, IReadOnlyCollection<UsageChange> changes)
    {
        var all = changes.OrderBy(change => change.Account).ToLookup(change => _usage.ContainsKey(change.Account));
        Save(
            """
            UPDATE usage SET stored_bytes = changed.bytes, documents = changed.documents, day = changed.day, envelopes_today = changed.envelopes, counted = changed.counted
            FROM unnest($1, $2, $3, $4, $5, $6) AS changed (account, bytes, documents, day, envelopes, counted) WHERE usage.account = changed.account
            """,
            [.. all[true]]);
        Save($"INSERT INTO usage (account, {StoredUsage.Columns}) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)", [.. all[false]]);
        foreach (var change in changes) SaveShares(batch, change);

        void Save(string sql, IReadOnlyList<UsageChange> some)
        {
            if (some.Count == 0) return;
            Add(
                batch,
                sql,
                Bytes(some.Select(change => change.Account.Value.ToArray())),
                Array(NpgsqlDbType.Bigint, some.Select(change => (long)change.Usage.StoredBytes)),
                Array(NpgsqlDbType.Bigint, some.Select(change => (long)change.Usage.Documents)),
                Array(NpgsqlDbType.Integer, some.Select(change => (int)change.Usage.Day)),
                Array(NpgsqlDbType.Bigint, some.Select(change => (long)change.Usage.EnvelopesToday)),
                Array(NpgsqlDbType.Smallint, some.Select(change => (short)change.Usage.Counted)));
        }
    }

    private static void SaveShares(NpgsqlBatch batch, UsageChange change)
    {
        NpgsqlParameter Account() => new() { Value = change.Account.Value.ToArray(), NpgsqlDbType = NpgsqlDbType.Bytea };
        if (change.Recounted != ShareKinds.None)
        {
            Add(
                batch, "DELETE FROM usage_share WHERE account = $1 AND kind & $2 <> 0", Account(),
                new() { Value = (short)change.Recounted, NpgsqlDbType = NpgsqlDbType.Smallint });
        }

        if (change.Shares.Count == 0) return;
        Add(
            batch,
            """
            INSERT INTO usage_share (account, kind, holder, stored_bytes) SELECT $1, * FROM unnest($2, $3, $4)
            ON CONFLICT (account, kind, holder) DO UPDATE SET stored_bytes = excluded.stored_bytes
            """,
            Account(),
            Array(NpgsqlDbType.Smallint, change.Shares.Keys.Select(share => (short)share.Kind)),
            Bytes(change.Shares.Keys.Select(share => share.ToHolder())),
            Array(NpgsqlDbType.Bigint, change.Shares.Values.Select(bytes => (long)bytes)));
    }

    private static void SaveEntries(NpgsqlBatch batch, GroupCommit commit, IReadOnlyDictionary<NewEntry, StoredBlob> blobs) => Add(
        batch,
        """
        WITH saved AS (INSERT INTO group_commit (micros, receipt_hashes, signature) VALUES ($1, $2, $3) RETURNING id)
        INSERT INTO envelope (commit_id, doc, idx, id, author, seq, author_prev_idx, kind, root, position, header, signature, body, parts, blob_bytes, blob_tag)
        SELECT saved.id, entry.* FROM saved, unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS entry
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
        Bytes(commit.Entries.Select(entry => blobs.ContainsKey(entry) ? [] : entry.Envelope.PartBytes.ToArray())),
        Array(NpgsqlDbType.Integer, commit.Entries.Select(entry => blobs.ContainsKey(entry) ? entry.Envelope.PartBytes.Length : 0)),
        Array(NpgsqlDbType.Bigint, commit.Entries.Select(entry => blobs.GetValueOrDefault(entry).Tag)));

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
