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
    private readonly Dictionary<DocId, DocumentState> _states = [];
    private long _dataVersion;
    private readonly SqliteCommand _findVersion, _findDocument, _findUsage, _saveDocument, _saveUsage, _saveCommit, _saveEnvelope;

    private SqliteWriter(SqliteConnection connection)
    {
        _connection = connection;
        _findVersion = Prepare("PRAGMA data_version");
        _findDocument = Prepare($"SELECT {StoredState.Columns} FROM document WHERE doc = $doc", "doc");
        _findUsage = Prepare("SELECT stored_bytes FROM usage WHERE account = $account", "account");
        _saveDocument = Prepare(
            """
            INSERT INTO document (doc, host, hosting, frontier, statements, stored_bytes, tips)
            VALUES ($doc, $host, $hosting, $frontier, $statements, $stored_bytes, $tips)
            ON CONFLICT (doc) DO UPDATE SET host = excluded.host, hosting = excluded.hosting, frontier = excluded.frontier,
                statements = excluded.statements, stored_bytes = excluded.stored_bytes, tips = excluded.tips
            """,
            "doc", "host", "hosting", "frontier", "statements", "stored_bytes", "tips");
        _saveUsage = Prepare(
            "INSERT INTO usage (account, stored_bytes) VALUES ($account, $bytes) ON CONFLICT (account) DO UPDATE SET stored_bytes = excluded.stored_bytes",
            "account", "bytes");
        _saveCommit = Prepare(
            "INSERT INTO group_commit (micros, receipt_hashes, signature) VALUES ($micros, $hashes, $signature) RETURNING id",
            "micros", "hashes", "signature");
        _saveEnvelope = Prepare(
            """
            INSERT INTO envelope (doc, idx, id, author, seq, author_prev_idx, kind, root, commit_id, position, header, signature, body, parts)
            VALUES ($doc, $idx, $id, $author, $seq, $previous, $kind, $root, $commit, $position, $header, $signature, $body, $parts)
            """,
            "doc", "idx", "id", "author", "seq", "previous", "kind", "root", "commit", "position", "header", "signature", "body", "parts");
    }

    private SqliteCommand[] Commands => [_findVersion, _findDocument, _findUsage, _saveDocument, _saveUsage, _saveCommit, _saveEnvelope];

    /// <summary>Opens the connection.</summary>
    public static async Task<SqliteWriter> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        // Not pooled: a writer that is given up must be gone.
        var writer = new SqliteWriter(new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString));
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

        var used = new Dictionary<AccountId, ulong>();
        foreach (var account in tenants.Concat(states.Values.Select(state => state.Host)).Distinct())
        {
            Bind(_findUsage, account.Value.ToArray());
            if (await _findUsage.ExecuteScalarAsync(cancellationToken) is long bytes) used.Add(account, (ulong)bytes);
        }

        return new Transaction(this, transaction, states, used, end);
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

    private async Task WriteAsync(GroupCommit commit, CancellationToken cancellationToken)
    {
        foreach (var state in commit.Documents)
        {
            Bind(
                _saveDocument, state.Document.Value.ToArray(), state.Host.Value.ToArray(), (int)state.Hosting, state.Log.Encode(), state.Statements,
                (long)state.StoredBytes, StoredState.EncodeTips(state.Tips));
            await _saveDocument.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var (account, bytes) in commit.UsedBytes)
        {
            Bind(_saveUsage, account.Value.ToArray(), (long)bytes);
            await _saveUsage.ExecuteNonQueryAsync(cancellationToken);
        }

        Bind(_saveCommit, (long)commit.Micros, StoredEnvelope.Encode(commit.ReceiptHashes), commit.Signature);
        var id = (long)(await _saveCommit.ExecuteScalarAsync(cancellationToken))!;
        foreach (var entry in commit.Entries) await WriteAsync(entry, id, cancellationToken);
    }

    private Task<int> WriteAsync(NewEntry entry, long commit, CancellationToken cancellationToken)
    {
        var envelope = entry.Envelope;
        var header = envelope.Header;
        Bind(
            _saveEnvelope, header.Document.Value.ToArray(), (long)entry.Index, envelope.Id.Value.ToArray(), header.Author.Value.ToArray(), (long)header.Seq,
            entry.AuthorPreviousIndex is { } previous ? (long)previous : DBNull.Value, (int)header.Type, entry.Root.ToArray(), commit, entry.Position,
            envelope.HeaderBytes.ToArray(), envelope.Signature.ToArray(), envelope.Body.ToArray(), envelope.PartBytes.ToArray());
        return _saveEnvelope.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed class Transaction(
        SqliteWriter writer, SqliteTransaction transaction, IReadOnlyDictionary<DocId, DocumentState> documents,
        IReadOnlyDictionary<AccountId, ulong> usedBytes, Func<bool, ValueTask> end) : IRelayTransaction
    {
        private bool _broken;

        public IReadOnlyDictionary<DocId, DocumentState> Documents => documents;

        public IReadOnlyDictionary<AccountId, ulong> UsedBytes => usedBytes;

        public Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
        {
            _broken = true;
            await writer.WriteAsync(commit, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            foreach (var state in commit.Documents) writer._states[state.Document] = state;
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
