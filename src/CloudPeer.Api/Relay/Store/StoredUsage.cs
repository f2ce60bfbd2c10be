using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>What tenants use: rows and statements that are the same in both databases.</summary>
internal static class StoredUsage
{
    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "stored_bytes, documents, day, envelopes_today, counted";

    private const int ShareBytes = Bytes32.Size + sizeof(ulong);

    /// <summary>Bytes of an envelope: header, signature, length of the body, body, parts. Found without fetching them.</summary>
    public const string LengthOfEnvelope = "length(header) + length(signature) + 4 + length(body) + length(parts) + blob_bytes";

    /// <summary>Reads a row.</summary>
    public static TenantUsage Read(DbDataReader row, int first = 0) => new(
        (ulong)row.GetInt64(first), (ulong)row.GetInt64(first + 1), (uint)row.GetInt64(first + 2), (ulong)row.GetInt64(first + 3), (ShareKinds)row.GetInt64(first + 4));

    /// <summary>The column <c>author_bytes</c> of a document.</summary>
    public static byte[] EncodeAuthors(IReadOnlyDictionary<PeerId, AuthorTip> tips)
    {
        var bytes = new byte[tips.Count * ShareBytes];
        var rest = bytes.AsSpan();
        foreach (var (author, tip) in tips)
        {
            author.Value.CopyTo(rest);
            BinaryPrimitives.WriteUInt64BigEndian(rest[Bytes32.Size..], tip.StoredBytes);
            rest = rest[ShareBytes..];
        }

        return bytes;
    }

    /// <summary>Reads <see cref="EncodeAuthors"/> into the tips.</summary>
    public static ImmutableDictionary<PeerId, AuthorTip> AddAuthors(ImmutableDictionary<PeerId, AuthorTip> tips, ReadOnlySpan<byte> authorBytes)
    {
        var builder = tips.ToBuilder();
        for (; authorBytes.Length >= ShareBytes; authorBytes = authorBytes[ShareBytes..])
        {
            var author = Id.From<PeerId>(authorBytes[..Bytes32.Size]);
            if (tips.TryGetValue(author, out var tip)) builder[author] = tip with { StoredBytes = BinaryPrimitives.ReadUInt64BigEndian(authorBytes[Bytes32.Size..]) };
        }

        return builder.ToImmutable();
    }

    /// <summary>See <see cref="IRelayStore.FindUsageAsync"/>.</summary>
    public static async Task<TenantUsage> FindAsync(DbConnection connection, AccountId tenant, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, null, $"SELECT {Columns} FROM usage WHERE account = @account", ("account", tenant.Value.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : TenantUsage.Empty;
    }

    /// <summary>See <see cref="IRelayStore.ReadAuthorSharesAsync"/>.</summary>
    public static async Task<IReadOnlyDictionary<PeerId, ulong>> ReadAuthorSharesAsync(
        DbConnection connection, AccountId tenant, int max, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            null,
            "SELECT kind, holder, stored_bytes FROM usage_share WHERE account = @account AND kind = @kind ORDER BY stored_bytes DESC LIMIT @max",
            ("account", tenant.Value.ToArray()), ("kind", (short)ShareKinds.Authors), ("max", (long)max));
        return (await ListAsync(command, ReadShare, cancellationToken)).ToDictionary(each => each.Share.Author, each => each.Bytes);
    }

    /// <summary>See <see cref="IRelayStore.ReadAppBytesAsync"/>.</summary>
    public static async Task<IReadOnlyDictionary<string, ulong>> ReadAppBytesAsync(
        DbConnection connection, AccountId tenant, IReadOnlyCollection<string> apps, bool counted, CancellationToken cancellationToken)
    {
        if (apps.Count == 0) return new Dictionary<string, ulong>(StringComparer.Ordinal);
        (string Name, object Value)[] parameters =
            [("account", tenant.Value.ToArray()), .. apps.Select((app, i) => ($"app{i}", counted ? (object)UsageShare.Of(app).ToHolder() : app))];
        var names = string.Join(", ", parameters.Skip(1).Select(each => "@" + each.Name));
        await using var command = Command(
            connection,
            null,
            counted
                ? $"SELECT kind, holder, stored_bytes FROM usage_share WHERE account = @account AND kind = {(int)ShareKinds.Apps} AND holder IN ({names})"
                : $"SELECT app, CAST(sum(stored_bytes) AS bigint) FROM document WHERE host = @account AND app IN ({names}) GROUP BY app",
            parameters);
        var found = await ListAsync(
            command,
            row => counted && ReadShare(row) is var (share, bytes) ? (share.App, Bytes: bytes) : (App: row.GetString(0), Bytes: (ulong)row.GetInt64(1)),
            cancellationToken);
        return found.ToDictionary(each => each.App, each => each.Bytes, StringComparer.Ordinal);
    }

    /// <summary>See <see cref="IRelayStore.ReadHostedAsync"/>.</summary>
    public static async Task<IReadOnlyList<HostedDocument>> ReadHostedAsync(DbConnection connection, AccountId tenant, int max, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection, null, "SELECT doc, stored_bytes, frontier, app FROM document WHERE host = @host ORDER BY stored_bytes DESC, doc LIMIT @max",
            ("host", tenant.Value.ToArray()), ("max", (long)max));
        return await ListAsync(
            command,
            row => CompactRange.TryDecode(row.GetFieldValue<byte[]>(2), out var log)
                ? new HostedDocument(Id.From<DocId>(row.GetFieldValue<byte[]>(0)), (ulong)row.GetInt64(1), log.Size, row.GetString(3))
                : throw new InvalidOperationException("A document's state row is damaged."),
            cancellationToken);
    }

    /// <summary>See <see cref="IRelayStore.ReadDocumentsAsync"/>.</summary>
    public static async Task<IReadOnlyList<DocId>> ReadDocumentsAsync(DbConnection connection, DocId? after, int max, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection, null, "SELECT doc FROM document WHERE doc > @after ORDER BY doc LIMIT @max", ("after", after?.Value.ToArray() ?? []), ("max", (long)max));
        return await ListAsync(command, row => Id.From<DocId>(row.GetFieldValue<byte[]>(0)), cancellationToken);
    }

    /// <summary>See <see cref="IRelayStore.ReadTenantsAsync"/>.</summary>
    public static async Task<IReadOnlyList<AccountId>> ReadTenantsAsync(DbConnection connection, AccountId? after, int max, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            null,
            "SELECT account FROM usage WHERE account > @after UNION SELECT host FROM document WHERE host > @after ORDER BY 1 LIMIT @max",
            ("after", after?.Value.ToArray() ?? []),
            ("max", (long)max));
        return await ListAsync(command, row => Id.From<AccountId>(row.GetFieldValue<byte[]>(0)), cancellationToken);
    }

    /// <summary>See <see cref="IRelayStore.CountDocumentAsync"/>.</summary>
    public static async Task<DocumentCount?> CountDocumentAsync(DbConnection connection, DocId document, CancellationToken cancellationToken)
    {
        await using var moment = await OneMomentAsync(connection, cancellationToken);
        (string, object) doc = ("doc", document.Value.ToArray());
        await using var find = Command(connection, moment, $"SELECT {StoredState.Columns} FROM document WHERE doc = @doc", doc);
        if ((await ListAsync(find, StoredState.Read, cancellationToken)).SingleOrDefault() is not { } state) return null;
        await using var count = Command(
            connection, moment, $"SELECT author, count(*), CAST(sum({LengthOfEnvelope}) AS bigint) FROM envelope WHERE doc = @doc GROUP BY author", doc);
        var authors = await ListAsync(
            count, row => (Author: Id.From<PeerId>(row.GetFieldValue<byte[]>(0)), Count: (ulong)row.GetInt64(1), Bytes: (ulong)row.GetInt64(2)), cancellationToken);
        return new(state, authors.Aggregate(0UL, (sum, each) => sum + each.Count), authors.ToDictionary(each => each.Author, each => each.Bytes));
    }

    /// <summary>See <see cref="IRelayStore.CountTenantAsync"/>.</summary>
    public static async Task<TenantCount> CountTenantAsync(DbConnection connection, AccountId tenant, CancellationToken cancellationToken)
    {
        await using var moment = await OneMomentAsync(connection, cancellationToken);
        (string, object) account = ("account", tenant.Value.ToArray());
        await using var find = Command(connection, moment, $"SELECT {Columns} FROM usage WHERE account = @account", account);
        var stored = (await ListAsync(find, row => Read(row), cancellationToken)).SingleOrDefault() ?? TenantUsage.Empty;
        await using var shares = Command(connection, moment, "SELECT kind, holder, stored_bytes FROM usage_share WHERE account = @account", account);
        var storedShares = await ListAsync(shares, ReadShare, cancellationToken);
        var (bytes, documents) = (0UL, 0UL);
        var counted = new Dictionary<UsageShare, ulong>();
        await using var hosted = Command(connection, moment, $"SELECT {StoredState.Columns} FROM document WHERE host = @account", account);
        await using var reader = await hosted.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var state = StoredState.Read(reader);
            (bytes, documents) = (bytes + state.StoredBytes, documents + 1);
            foreach (var (share, part) in state.Shares()) counted[share] = counted.GetValueOrDefault(share) + part;
        }

        return new(stored, storedShares.ToDictionary(each => each.Share, each => each.Bytes), bytes, documents, counted);
    }

    /// <summary>Reads the columns <c>kind, holder, stored_bytes</c>.</summary>
    public static (UsageShare Share, ulong Bytes) ReadShare(DbDataReader row) =>
        (UsageShare.From((ShareKinds)row.GetInt64(0), row.GetFieldValue<byte[]>(1)), (ulong)row.GetInt64(2));

    /// <summary>A command with parameters <c>@name</c>, which both databases take.</summary>
    public static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql, params IReadOnlyList<(string Name, object Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // The texts are constants of the stores.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }

        return command;
    }

    /// <summary>All rows of a command.</summary>
    public static async Task<IReadOnlyList<T>> ListAsync<T>(DbCommand command, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    // What is read in it is of one moment; it locks nothing.
#pragma warning disable CA1849 // SQLite has no asynchronous way to begin without the write lock, and waits for nothing here.
    private static async ValueTask<DbTransaction> OneMomentAsync(DbConnection connection, CancellationToken cancellationToken) => connection is SqliteConnection sqlite
        ? sqlite.BeginTransaction(deferred: true)
        : await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
#pragma warning restore CA1849
}
