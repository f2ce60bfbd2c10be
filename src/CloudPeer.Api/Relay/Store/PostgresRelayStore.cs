using System.Data.Common;
using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;
using Npgsql;
using NpgsqlTypes;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>
/// Logs in PostgreSQL. Several processes may run over one database: a commit locks its documents' rows in ascending order, so indexes never
/// fork and nobody waits in a circle.
/// </summary>
/// <param name="source">The database; not owned.</param>
/// <param name="listening">The same database by an address whose sessions last, for what other processes tell; not owned.</param>
/// <param name="blobs">Where large parts of snapshots are; all processes over the database share it.</param>
internal sealed class PostgresRelayStore(NpgsqlDataSource source, NpgsqlDataSource listening, BlobFolder blobs) : IRelayStore, IBlobIndex
{
    private readonly PostgresNotices _notices = new();

    /// <summary>Creates the tables where they are missing.</summary>
    /// <param name="source">The database; not owned.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="blobs">Where large parts of snapshots are; in the database if null.</param>
    /// <param name="listening">The address to listen at, if it is another one.</param>
    /// <exception cref="Tlfs.Core.TlfsException">The database cannot be used now, or was made by newer software.</exception>
    public static Task<PostgresRelayStore> OpenAsync(
        NpgsqlDataSource source, CancellationToken cancellationToken, BlobFolder? blobs = null, NpgsqlDataSource? listening = null) => StoreFailure.Translate(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await SchemaMigrator.MigrateAsync(connection, SchemaScripts.Embedded("relay", "Relay/Store/Scripts/Postgres"), cancellationToken);
        return new PostgresRelayStore(source, listening ?? source, blobs ?? BlobFolder.None);
    });

    /// <inheritdoc />
    public Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken) =>
        StoreFailure.Translate(() => PostgresTransaction.BeginAsync(source, blobs, _notices, documents, tenants, cancellationToken));

    /// <inheritdoc />
    public Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {StoredState.Columns} FROM document WHERE doc = $1",
        [Bytes(document)],
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
            $"""
            SELECT {StoredEnvelope.Columns} FROM (
                SELECT *, sum({StoredUsage.LengthOfEnvelope}) OVER (ORDER BY idx) AS total
                FROM envelope WHERE doc = $1 AND idx >= $2 AND idx < $3 AND {OfGeneration}$6) ORDER BY idx LIMIT $4) page
            WHERE idx = $2 OR total <= $5 ORDER BY idx
            """,
            [Bytes(document), Number(from), Number(state.Size), Number((ulong)maxEntries), Number((ulong)maxBytes), Number(state.Generation)],
            reader => StoredRow.ReadDenseAsync(reader, from, long.MaxValue, cancellationToken),
            cancellationToken);
        return new(state, await blobs.CompleteAsync(rows, this, cancellationToken));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<PlacedEntry>> ReadStatementsAsync(DocId document, uint generation, ulong from, int max, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {StoredEnvelope.Columns} FROM envelope WHERE doc = $1 AND idx >= $2 AND kind = 2 AND {OfGeneration}$4) ORDER BY idx LIMIT $3",
        [Bytes(document), Number(from), Number((ulong)max), Number(generation)],
        reader => StoredRow.ReadPlacedAsync(reader, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> ReadIdsAsync(DocId document, ulong from, int max, CancellationToken cancellationToken) => ReadAsync(
        "SELECT idx, id FROM envelope WHERE doc = $1 AND idx >= $2 ORDER BY idx LIMIT $3",
        [Bytes(document), Number(from), Number((ulong)max)],
        reader => ListAsync(reader, StoredEnvelope.ReadPlace, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocId document, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken) => ReadAsync(
        "SELECT idx, id FROM envelope WHERE doc = $1 AND id = ANY ($2) ORDER BY idx DESC LIMIT $3",
        [Bytes(document), PostgresTransaction.Bytes(ids.Select(id => id.Value.ToArray())), Number((ulong)ids.Count)],
        reader => ListAsync(reader, StoredEnvelope.ReadPlace, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken) => ReadAsync(
        """
        WITH RECURSIVE chain (idx, id, previous, steps) AS (
            SELECT idx, id, author_prev_idx, $3 FROM envelope WHERE doc = $1 AND idx = $2
            UNION ALL
            SELECT e.idx, e.id, e.author_prev_idx, c.steps - 1 FROM chain c JOIN envelope e ON e.doc = $1 AND e.idx = c.previous WHERE c.steps > 0)
        SELECT idx, id FROM chain WHERE steps = 0
        """,
        [Bytes(document), Number(index), Number(steps)],
        async reader => await reader.ReadAsync(cancellationToken) ? StoredEnvelope.ReadPlace(reader) : null,
        cancellationToken);

    /// <inheritdoc />
    public Task<StoredReceipt?> FindReceiptAsync(DocId document, ulong index, CancellationToken cancellationToken) => ReadAsync(
        """
        SELECT e.idx, e.id, e.root, e.position, c.micros, c.receipt_hashes, c.signature
        FROM envelope e JOIN group_commit c ON c.id = e.commit_id WHERE e.doc = $1 AND e.idx = $2
        """,
        [Bytes(document), Number(index)],
        async reader => await reader.ReadAsync(cancellationToken) ? StoredEnvelope.ReadReceipt(reader) : null,
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<StoredGeneration>> ReadGenerationsAsync(DocId document, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<StoredGeneration>>(
        StoredGenerations.Select("$1"),
        [Bytes(document)],
        async reader => await ListAsync(reader, StoredGenerations.Read, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await StoredGenerations.BeginAsync(connection, micros, cancellationToken);
    });

    /// <inheritdoc />
    public Task WatchAsync(Action<ChangedElsewhere> tell, CancellationToken cancellationToken) => _notices.WatchAsync(listening, tell, cancellationToken);

    /// <inheritdoc />
    public Task<bool> PurgeAsync(int maxEntries, CancellationToken cancellationToken) =>
        AskAsync(connection => StoredDeletions.PurgeAsync(connection, blobs, " FOR UPDATE SKIP LOCKED", maxEntries, cancellationToken), cancellationToken);

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
        $"SELECT {StoredBlob.Columns} FROM envelope WHERE blob_bytes > 0 AND id = ANY ($1)",
        [PostgresTransaction.Bytes(envelopes.Select(id => id.Value.ToArray()))],
        async reader => (await ListAsync(reader, StoredBlob.Read, cancellationToken)).ToHashSet(),
        cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<Delivered>> ReadDeliveredAsync(DocId document, CancellationToken cancellationToken) => ReadAsync(
        StoredDeliveries.Select("$1"),
        [Bytes(document)],
        reader => StoredDeliveries.ReadAsync(reader, cancellationToken),
        cancellationToken);

    /// <inheritdoc />
    public Task UpdateDeliveredAsync(
        IReadOnlyList<DocId> documents, Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change, CancellationToken cancellationToken) =>
        StoreFailure.Translate(async () =>
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return await StoredDeliveries.UpdateAsync(connection, (" FOR UPDATE", " FOR KEY SHARE"), documents, change, cancellationToken);
        });

    /// <inheritdoc />
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // In the same statement as the entries, so that they are those of the log that is meant.
    private const string OfGeneration = "EXISTS (SELECT 1 FROM document WHERE doc = $1 AND generation = ";

    private Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> ask, CancellationToken cancellationToken) => StoreFailure.Translate(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await ask(connection);
    });

    private Task<T> ReadAsync<T>(
        string sql, IReadOnlyList<NpgsqlParameter> parameters, Func<DbDataReader, Task<T>> read, CancellationToken cancellationToken) =>
        StoreFailure.Translate(async () =>
        {
            await using var command = source.CreateCommand(sql);
            foreach (var parameter in parameters) command.Parameters.Add(parameter);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await read(reader);
        });

    private static async Task<IReadOnlyList<T>> ListAsync<T>(DbDataReader reader, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    private static NpgsqlParameter Bytes(DocId document) => new() { Value = document.Value.ToArray(), NpgsqlDbType = NpgsqlDbType.Bytea };

    private static NpgsqlParameter Number(ulong value) => new() { Value = StoredEnvelope.Index(value), NpgsqlDbType = NpgsqlDbType.Bigint };
}
