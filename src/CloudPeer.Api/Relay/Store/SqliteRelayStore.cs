using System.Data.Common;
using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;
using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>
/// Logs in one SQLite file: one connection writes, readers see the last commit and wait for nobody (WAL). A commit is on the disk when it
/// returns (<c>synchronous=FULL</c>).
/// </summary>
internal sealed class SqliteRelayStore : IRelayStore, IBlobIndex
{
    // In the same statement as the entries, so that they are those of the log that is meant.
    private const string OfGeneration = "EXISTS (SELECT 1 FROM document WHERE doc = $doc AND generation = $generation)";

    private readonly string _connectionString;
    private readonly BlobFolder _blobs;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private SqliteWriter? _writer;

    private SqliteRelayStore(string path, BlobFolder blobs)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10 }.ConnectionString;
        _blobs = blobs;
    }

    /// <summary>Opens a file, and creates it and its tables where they are missing.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="blobs">Where large parts of snapshots are; in the file if null.</param>
    /// <exception cref="Tlfs.Core.TlfsException">The file cannot be used now, or was made by newer software.</exception>
    public static Task<SqliteRelayStore> OpenAsync(string path, CancellationToken cancellationToken, BlobFolder? blobs = null) => StoreFailure.Translate(async () =>
    {
        var store = new SqliteRelayStore(path, blobs ?? BlobFolder.None);
        await using var connection = await store.ConnectAsync(cancellationToken);
        await using var pragma = connection.CreateCommand();
        pragma.CommandText = "PRAGMA journal_mode = WAL";
        await pragma.ExecuteNonQueryAsync(cancellationToken);
        await SchemaMigrator.MigrateAsync(connection, SchemaScripts.Embedded("relay", "Relay/Store/Scripts/Sqlite"), cancellationToken);
        return store;
    });

    /// <inheritdoc />
    public async Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await StoreFailure.Translate(async () =>
            {
                _writer ??= await SqliteWriter.OpenAsync(_connectionString, _blobs, cancellationToken);
                return await _writer.BeginAsync(documents, tenants, End, cancellationToken);
            });
        }
        catch
        {
            await EndAsync(broken: true);
            throw;
        }

        ValueTask End(bool broken) => EndAsync(broken);
    }

    /// <inheritdoc />
    public Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {StoredState.Columns} FROM document WHERE doc = $doc",
        [("$doc", document.Value.ToArray())],
        async reader => await reader.ReadAsync(cancellationToken) ? StoredState.Read(reader) : null,
        cancellationToken);

    /// <inheritdoc />
    public Task<TenantUsage> FindUsageAsync(AccountId tenant, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.FindAsync(connection, tenant, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<PeerId, ulong>> ReadAuthorSharesAsync(AccountId tenant, int max, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.ReadAuthorSharesAsync(connection, tenant, max, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<string, ulong>> ReadAppBytesAsync(
        AccountId tenant, IReadOnlyCollection<string> apps, bool counted, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.ReadAppBytesAsync(connection, tenant, apps, counted, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<HostedDocument>> ReadHostedAsync(AccountId tenant, int max, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.ReadHostedAsync(connection, tenant, max, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public async Task<LogSlice?> ReadAsync(DocId document, ulong from, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        // The state first: what the log grows by afterwards is left out, and all of it if it is another one by then.
        if (await FindAsync(document, cancellationToken) is not { } state) return null;
        var rows = await ReadAsync(
            $"SELECT {StoredEnvelope.Columns} FROM envelope WHERE doc = $doc AND idx >= $from AND idx < $size AND {OfGeneration} ORDER BY idx LIMIT $max",
            [
                ("$doc", document.Value.ToArray()), ("$generation", (long)state.Generation), ("$from", StoredEnvelope.Index(from)),
                ("$size", StoredEnvelope.Index(state.Size)), ("$max", maxEntries),
            ],
            reader => StoredRow.ReadDenseAsync(reader, from, maxBytes, cancellationToken),
            cancellationToken);
        return new(state, await _blobs.CompleteAsync(rows, this, cancellationToken));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<PlacedEntry>> ReadStatementsAsync(DocId document, uint generation, ulong from, int max, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {StoredEnvelope.Columns} FROM envelope WHERE doc = $doc AND idx >= $from AND kind = 2 AND {OfGeneration} ORDER BY idx LIMIT $max",
        [("$doc", document.Value.ToArray()), ("$generation", (long)generation), ("$from", StoredEnvelope.Index(from)), ("$max", max)],
        reader => StoredRow.ReadPlacedAsync(reader, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> ReadIdsAsync(DocId document, ulong from, int max, CancellationToken cancellationToken) => ReadAsync(
        "SELECT idx, id FROM envelope WHERE doc = $doc AND idx >= $from ORDER BY idx LIMIT $max",
        [("$doc", document.Value.ToArray()), ("$from", StoredEnvelope.Index(from)), ("$max", max)],
        reader => FindAsync(reader, _ => true, int.MaxValue, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocId document, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken)
    {
        var wanted = ids.ToHashSet();
        return ReadAsync(
            "SELECT idx, id FROM envelope WHERE doc = $doc ORDER BY idx DESC",
            [("$doc", document.Value.ToArray())],
            reader => FindAsync(reader, wanted.Contains, wanted.Count, cancellationToken),
            cancellationToken);
    }

    /// <inheritdoc />
    public Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken) => ReadAsync(
        """
        WITH RECURSIVE chain (idx, id, previous, steps) AS (
            SELECT idx, id, author_prev_idx, $steps FROM envelope WHERE doc = $doc AND idx = $idx
            UNION ALL
            SELECT e.idx, e.id, e.author_prev_idx, c.steps - 1 FROM chain c JOIN envelope e ON e.doc = $doc AND e.idx = c.previous WHERE c.steps > 0)
        SELECT idx, id FROM chain WHERE steps = 0
        """,
        [("$doc", document.Value.ToArray()), ("$idx", StoredEnvelope.Index(index)), ("$steps", StoredEnvelope.Index(steps))],
        async reader => await reader.ReadAsync(cancellationToken) ? StoredEnvelope.ReadPlace(reader) : null,
        cancellationToken);

    /// <inheritdoc />
    public Task<StoredReceipt?> FindReceiptAsync(DocId document, ulong index, CancellationToken cancellationToken) => ReadAsync(
        """
        SELECT e.idx, e.id, e.root, e.position, c.micros, c.receipt_hashes, c.signature
        FROM envelope e JOIN group_commit c ON c.id = e.commit_id WHERE e.doc = $doc AND e.idx = $idx
        """,
        [("$doc", document.Value.ToArray()), ("$idx", StoredEnvelope.Index(index))],
        async reader => await reader.ReadAsync(cancellationToken) ? StoredEnvelope.ReadReceipt(reader) : null,
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<StoredGeneration>> ReadGenerationsAsync(DocId document, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<StoredGeneration>>(
        StoredGenerations.Select("$doc"),
        [("$doc", document.Value.ToArray())],
        async reader =>
        {
            var generations = new List<StoredGeneration>();
            while (await reader.ReadAsync(cancellationToken)) generations.Add(StoredGenerations.Read(reader));
            return generations;
        },
        cancellationToken);

    /// <inheritdoc />
    public Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using var connection = await ConnectAsync(cancellationToken);
        await using var pragma = connection.CreateCommand();
        pragma.CommandText = "PRAGMA synchronous = FULL";
        await pragma.ExecuteNonQueryAsync(cancellationToken);
        return await StoredGenerations.BeginAsync(connection, micros, cancellationToken);
    });

    /// <inheritdoc />
    public async Task<bool> PurgeAsync(int maxEntries, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await AskAsync(connection => StoredDeletions.PurgeAsync(connection, _blobs, string.Empty, maxEntries, cancellationToken), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<Delivered>> ReadDeliveredAsync(DocId document, CancellationToken cancellationToken) => ReadAsync(
        StoredDeliveries.Select("$doc"),
        [("$doc", document.Value.ToArray())],
        reader => StoredDeliveries.ReadAsync(reader, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public async Task UpdateDeliveredAsync(
        IReadOnlyList<DocId> documents, Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change, CancellationToken cancellationToken)
    {
        // Between two commits, so that the file has one writer.
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await StoreFailure.Translate(async () =>
            {
                await using var connection = await ConnectAsync(cancellationToken);
                return await StoredDeliveries.UpdateAsync(connection, (string.Empty, string.Empty), documents, change, cancellationToken);
            });
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<DocId>> ReadDocumentsAsync(DocId? after, int max, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.ReadDocumentsAsync(connection, after, max, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<AccountId>> ReadTenantsAsync(AccountId? after, int max, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.ReadTenantsAsync(connection, after, max, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<DocumentCount?> CountDocumentAsync(DocId document, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.CountDocumentAsync(connection, document, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<TenantCount> CountTenantAsync(AccountId tenant, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredUsage.CountTenantAsync(connection, tenant, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlySet<StoredBlob>> FindBlobsAsync(IReadOnlyCollection<EnvelopeId> envelopes, CancellationToken cancellationToken) => ReadAsync<IReadOnlySet<StoredBlob>>(
        $"SELECT {StoredBlob.Columns} FROM envelope WHERE blob_bytes > 0 AND id IN (SELECT unhex(value) FROM json_each($ids))",
        [("$ids", $"[{string.Join(',', envelopes.Select(id => $"\"{Convert.ToHexString(id.Value.ToArray())}\""))}]")],
        async reader =>
        {
            var blobs = new HashSet<StoredBlob>();
            while (await reader.ReadAsync(cancellationToken)) blobs.Add(StoredBlob.Read(reader));
            return blobs;
        },
        cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_writer is not null) await _writer.DisposeAsync();
        _turn.Dispose();
        using var pool = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pool);
    }

    // A writer that failed is opened anew: after a full disk its transaction may or may not have been rolled back already.
    private async ValueTask EndAsync(bool broken)
    {
        try
        {
            if (broken && _writer is { } writer)
            {
                _writer = null;
                await writer.DisposeAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<SqliteConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    private Task<T> AskAsync<T>(Func<SqliteConnection, Task<T>> ask, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using var connection = await ConnectAsync(cancellationToken);
        return await ask(connection);
    });

    private Task<T> ReadAsync<T>(
        string sql, IReadOnlyList<(string Name, object Value)> parameters, Func<DbDataReader, Task<T>> read, CancellationToken cancellationToken) =>
        StoreFailure.Translate(async () =>
        {
            await using var connection = await ConnectAsync(cancellationToken);
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the constants of this class.
            command.CommandText = sql;
#pragma warning restore CA2100
            foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await read(reader);
        });

    private static async Task<IReadOnlyList<LogPlace>> FindAsync(
        DbDataReader reader, Predicate<EnvelopeId> wanted, int count, CancellationToken cancellationToken)
    {
        var places = new List<LogPlace>();
        while (places.Count < count && await reader.ReadAsync(cancellationToken))
        {
            var place = StoredEnvelope.ReadPlace(reader);
            if (wanted(place.Id)) places.Add(place);
        }

        return places;
    }
}
