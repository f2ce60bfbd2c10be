using CloudPeer.Sync.Relay;
using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>The connection of a SQLite store that writes, with its prepared commands. One transaction at a time.</summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    // Documents whose state is remembered from one commit to the next.
    private const int RememberedStates = 4096;

    private readonly SqliteConnection _connection;
    private readonly BlobFolder _blobs;
    private readonly Dictionary<DocId, DocumentState> _states = [];
    private long _dataVersion;
    private readonly SqliteCommand _findVersion, _findDocument, _findUsage, _saveDocument, _saveUsage, _saveCommit, _saveEnvelope;

    private SqliteWriter(SqliteConnection connection, BlobFolder blobs)
    {
        _connection = connection;
        _blobs = blobs;
        _findVersion = Prepare("PRAGMA data_version");
        _findDocument = Prepare($"SELECT {StoredState.Columns} FROM document WHERE doc = $doc", "doc");
        _findUsage = Prepare($"SELECT {StoredUsage.Columns} FROM usage WHERE account = $account", "account");
        _saveDocument = Prepare(
            """
            INSERT INTO document (doc, host, hosting, frontier, statements, stored_bytes, tips, app, generation, author_bytes)
            VALUES ($doc, $host, $hosting, $frontier, $statements, $stored_bytes, $tips, $app, $generation, $author_bytes)
            ON CONFLICT (doc) DO UPDATE SET hosting = excluded.hosting, frontier = excluded.frontier, statements = excluded.statements,
                stored_bytes = excluded.stored_bytes, tips = excluded.tips, author_bytes = excluded.author_bytes
            """,
            "doc", "host", "hosting", "frontier", "statements", "stored_bytes", "tips", "app", "generation", "author_bytes");
        _saveUsage = Prepare(
            $"""
            INSERT INTO usage (account, {StoredUsage.Columns}) VALUES ($account, $bytes, $documents, $day, $envelopes, $counted)
            ON CONFLICT (account) DO UPDATE SET stored_bytes = excluded.stored_bytes, documents = excluded.documents, day = excluded.day,
                envelopes_today = excluded.envelopes_today, counted = excluded.counted
            """,
            "account", "bytes", "documents", "day", "envelopes", "counted");
        _saveCommit = Prepare(
            "INSERT INTO group_commit (micros, receipt_hashes, signature) VALUES ($micros, $hashes, $signature) RETURNING id",
            "micros", "hashes", "signature");
        _saveEnvelope = Prepare(
            """
            INSERT INTO envelope (doc, idx, id, author, seq, author_prev_idx, kind, root, commit_id, position, header, signature, body, parts, blob_bytes, blob_tag)
            VALUES ($doc, $idx, $id, $author, $seq, $previous, $kind, $root, $commit, $position, $header, $signature, $body, $parts, $blob_bytes, $blob_tag)
            """,
            "doc", "idx", "id", "author", "seq", "previous", "kind", "root", "commit", "position", "header", "signature", "body", "parts", "blob_bytes", "blob_tag");
    }

    private SqliteCommand[] Commands => [_findVersion, _findDocument, _findUsage, _saveDocument, _saveUsage, _saveCommit, _saveEnvelope];

    /// <summary>Opens the connection.</summary>
    public static async Task<SqliteWriter> OpenAsync(string connectionString, BlobFolder blobs, CancellationToken cancellationToken)
    {
        // Not pooled: a writer that is given up must be gone.
        var writer = new SqliteWriter(new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString), blobs);
        try
        {
            await writer._connection.OpenAsync(cancellationToken);
            await using var pragma = writer._connection.CreateCommand();
            pragma.CommandText = "PRAGMA synchronous = FULL";
            await pragma.ExecuteNonQueryAsync(cancellationToken);
            return writer;
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins a transaction with the write lock, so that what it reads is current.</summary>
    /// <param name="documents">See <see cref="IRelayStore.BeginAsync"/>.</param>
    /// <param name="tenants">See <see cref="IRelayStore.BeginAsync"/>.</param>
    /// <param name="end">Called when the transaction has ended; true if the connection should not be used again.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, Func<bool, ValueTask> end, CancellationToken cancellationToken)
    {
        // Microsoft.Data.Sqlite begins with the write lock (BEGIN IMMEDIATE).
        var transaction = (SqliteTransaction)await _connection.BeginTransactionAsync(cancellationToken);
        foreach (var command in Commands) command.Transaction = transaction;
        await ForgetIfChangedAsync(cancellationToken);
        var states = new Dictionary<DocId, DocumentState>();
        foreach (var document in documents)
            if (await FindAsync(document, cancellationToken) is { } state) states.Add(document, state);

        var usage = new Dictionary<AccountId, TenantUsage>();
        foreach (var account in tenants.Concat(states.Values.Select(state => state.Host)).Distinct())
        {
            Bind(_findUsage, account.Value.ToArray());
            await using var reader = await _findUsage.ExecuteReaderAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken)) usage.Add(account, StoredUsage.Read(reader));
        }

        var deleted = await FindDeletedAsync(transaction, documents.Where(id => !states.ContainsKey(id)), cancellationToken);
        return new Transaction(this, transaction, states, deleted, usage, end);
    }

    // SQLite counts the commits of other connections: while there were none, what this one wrote is what is there.
    private async Task ForgetIfChangedAsync(CancellationToken cancellationToken)
    {
        var version = (long)(await _findVersion.ExecuteScalarAsync(cancellationToken))!;
        if (version != _dataVersion || _states.Count > RememberedStates) _states.Clear();
        _dataVersion = version;
    }

    private async Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken)
    {
        if (_states.TryGetValue(document, out var known)) return known;
        Bind(_findDocument, document.Value.ToArray());
        await using var reader = await _findDocument.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return _states[document] = StoredState.Read(reader);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _findVersion.DisposeAsync();
        await _findDocument.DisposeAsync();
        await _findUsage.DisposeAsync();
        await _saveDocument.DisposeAsync();
        await _saveUsage.DisposeAsync();
        await _saveCommit.DisposeAsync();
        await _saveEnvelope.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private SqliteCommand Prepare(string sql, params IReadOnlyList<string> parameters)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the constants of the constructor.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var name in parameters) command.Parameters.Add(new() { ParameterName = "$" + name });
        return command;
    }

    private static void Bind(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
    }

    private async Task WriteAsync(GroupCommit commit, IReadOnlyDictionary<NewEntry, StoredBlob> blobs, CancellationToken cancellationToken)
    {
        foreach (var state in commit.Documents)
        {
            Bind(
                _saveDocument, state.Document.Value.ToArray(), state.Host.Value.ToArray(), (int)state.Hosting, state.Log.Encode(), state.Statements,
                (long)state.StoredBytes, StoredState.EncodeTips(state.Tips), state.App, (long)state.Generation, StoredUsage.EncodeAuthors(state.Tips));
            await _saveDocument.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var change in commit.Usage) await WriteAsync(change, cancellationToken);
        if (commit.Entries.Count == 0) return;
        Bind(_saveCommit, (long)commit.Micros, StoredEnvelope.Encode(commit.ReceiptHashes), commit.Signature);
        var id = (long)(await _saveCommit.ExecuteScalarAsync(cancellationToken))!;
        foreach (var entry in commit.Entries) await WriteAsync(entry, blobs.TryGetValue(entry, out var blob) ? blob : null, id, cancellationToken);
    }

    private async Task WriteAsync(UsageChange change, CancellationToken cancellationToken)
    {
        var (account, usage) = (change.Account.Value.ToArray(), change.Usage);
        Bind(
            _saveUsage, account, (long)usage.StoredBytes, (long)usage.Documents, (long)usage.Day, (long)usage.EnvelopesToday, (int)usage.Counted);
        await _saveUsage.ExecuteNonQueryAsync(cancellationToken);
        if (change.Recounted != ShareKinds.None)
        {
            await using var forget = StoredUsage.Command(
                _connection, _saveUsage.Transaction, "DELETE FROM usage_share WHERE account = @account AND kind & @kinds <> 0",
                ("account", account), ("kinds", (long)change.Recounted));
            await forget.ExecuteNonQueryAsync(cancellationToken);
        }

        if (change.Shares.Count == 0) return;
        await using var save = (SqliteCommand)StoredUsage.Command(
            _connection,
            _saveUsage.Transaction,
            """
            INSERT INTO usage_share (account, kind, holder, stored_bytes) VALUES (@account, @kind, @holder, @bytes)
            ON CONFLICT (account, kind, holder) DO UPDATE SET stored_bytes = excluded.stored_bytes
            """,
            ("account", account), ("kind", 0L), ("holder", account), ("bytes", 0L));
        foreach (var (share, bytes) in change.Shares)
        {
            Bind(save, account, (long)share.Kind, share.ToHolder(), (long)bytes);
            await save.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    // Almost every document of a commit exists, so this is not asked as a rule.
    private async Task<Dictionary<DocId, DeletedDocument>> FindDeletedAsync(
        SqliteTransaction transaction, IEnumerable<DocId> missing, CancellationToken cancellationToken)
    {
        var deleted = new Dictionary<DocId, DeletedDocument>();
        foreach (var document in missing)
        {
            await using var command = StoredUsage.Command(
                _connection, transaction, "SELECT number, purged, micros FROM deleted WHERE doc = @doc", ("doc", document.Value.ToArray()));
            var found = await StoredUsage.ListAsync(
                command, row => new DeletedDocument((uint)row.GetInt64(0), row.GetBoolean(1)) { Micros = (ulong)row.GetInt64(2) }, cancellationToken);
            if (found.Count > 0) deleted.Add(document, found[0]);
        }

        return deleted;
    }

    private async Task<Dictionary<UsageShare, ulong>> FindSharesAsync(AccountId tenant, IReadOnlyCollection<UsageShare> shares, CancellationToken cancellationToken)
    {
        var found = new Dictionary<UsageShare, ulong>();
        await using var command = (SqliteCommand)StoredUsage.Command(
            _connection,
            _saveUsage.Transaction,
            "SELECT stored_bytes FROM usage_share WHERE account = @account AND kind = @kind AND holder = @holder",
            ("account", tenant.Value.ToArray()), ("kind", 0L), ("holder", Array.Empty<byte>()));
        foreach (var share in shares)
        {
            Bind(command, tenant.Value.ToArray(), (long)share.Kind, share.ToHolder());
            if (await command.ExecuteScalarAsync(cancellationToken) is long bytes) found.Add(share, (ulong)bytes);
        }

        return found;
    }

    private Task<int> WriteAsync(NewEntry entry, StoredBlob? blob, long commit, CancellationToken cancellationToken)
    {
        var envelope = entry.Envelope;
        var header = envelope.Header;
        Bind(
            _saveEnvelope, header.Document.Value.ToArray(), (long)entry.Index, envelope.Id.Value.ToArray(), header.Author.Value.ToArray(), (long)header.Seq,
            entry.AuthorPreviousIndex is { } previous ? (long)previous : DBNull.Value, (int)header.Type, entry.Root.ToArray(), commit, entry.Position,
            envelope.HeaderBytes.ToArray(), envelope.Signature.ToArray(), envelope.Body.ToArray(),
            blob is null ? envelope.PartBytes.ToArray() : [], blob is null ? 0 : envelope.PartBytes.Length, blob?.Tag ?? 0);
        return _saveEnvelope.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed class Transaction(
        SqliteWriter writer, SqliteTransaction transaction, IReadOnlyDictionary<DocId, DocumentState> documents,
        IReadOnlyDictionary<DocId, DeletedDocument> deleted, IReadOnlyDictionary<AccountId, TenantUsage> usage, Func<bool, ValueTask> end) : IRelayTransaction
    {
        private bool _broken;

        public IReadOnlyDictionary<DocId, DocumentState> Documents => documents;

        public IReadOnlyDictionary<DocId, DeletedDocument> Deleted => deleted;

        public IReadOnlyDictionary<AccountId, TenantUsage> Usage => usage;

        public Task<IReadOnlyDictionary<UsageShare, ulong>> FindSharesAsync(
            AccountId tenant, IReadOnlyCollection<UsageShare> shares, CancellationToken cancellationToken) => StoreFailure.Translate(
            async () => (IReadOnlyDictionary<UsageShare, ulong>)await writer.FindSharesAsync(tenant, shares, cancellationToken));

        public Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken) => EndAsync(
            async () => await writer.WriteAsync(commit, await writer._blobs.SaveAsync(commit.Entries, cancellationToken), cancellationToken),
            () =>
            {
                foreach (var state in commit.Documents) writer._states[state.Document] = state;
            },
            cancellationToken);

        public Task DeleteAsync(DocumentDeletion deletion, CancellationToken cancellationToken)
        {
            IReadOnlyList<StoredBlob> blobs = [];
            return EndAsync(
                async () =>
                {
                    await writer.WriteAsync(deletion.Host, cancellationToken);
                    blobs = await StoredDeletions.DeleteAsync(writer._connection, transaction, deletion, cancellationToken);
                },
                () =>
                {
                    writer._states.Remove(deletion.Document.Document);
                    writer._blobs.Delete(blobs);
                },
                cancellationToken);
        }

        private Task<bool> EndAsync(Func<Task> write, Action remember, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
        {
            _broken = true;
            await write();
            await transaction.CommitAsync(cancellationToken);
            remember();
            _broken = false;
            return true;
        });

        public async ValueTask DisposeAsync()
        {
            try
            {
                if (!_broken) await transaction.DisposeAsync();
            }
            finally
            {
                await end(_broken);
            }
        }
    }
}
