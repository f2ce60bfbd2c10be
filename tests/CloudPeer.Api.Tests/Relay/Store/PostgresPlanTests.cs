using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Npgsql;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>What a call costs must not depend on what other tenants store: no table is read from end to end.</summary>
public sealed class PostgresPlanTests(PostgresFixture postgres)
{
    private const int Others = 20_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commits_reads_and_deletions_look_at_nothing_of_the_other_tenants() => Assert.Equal(0, await ReadWholeAsync(FillAsync, "'usage', 'document', 'envelope', 'usage_share'", async (store, world) =>
    {
        var owner = world.Tenant();
        var account = world.Tenants.Register(owner.Public);
        world.Tenants.Change(account, new TenantLimits { StorageBytes = 1 << 20, AuthorPercent = 1 });
        var document = await world.HostedAsync(owner);
        for (var i = 0; i < 10; i++) await world.AcceptAsync(owner, document, document.NextDelta(owner, 2000));
        await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id);
        await store.FindUsageAsync(account, Cancel);
        await store.ReadHostedAsync(account, 10, Cancel);
        await store.ReadAuthorSharesAsync(account, 10, Cancel);
        await store.FindIdsAsync(document.Id, [document.Envelopes[0].Id], Cancel);
        await store.ReadGenerationsAsync(document.Id, Cancel);
        await store.CountTenantAsync(account, Cancel);
        Assert.Null(await world.Relay.AckAsync(owner.Public, document.Id, 3, Cancel));
        Assert.True((await world.Relay.DeleteAsync(owner.Public, document.Id, Cancel)).Succeeded);
    }));

    /// <summary>A plan is kept, so one that reads a small table whole would read it whole when it is large.</summary>
    [Fact]
    public async Task Commits_are_planned_for_many_tenants_also_while_there_are_few() => Assert.Equal(0, await ReadWholeAsync(_ => Task.CompletedTask, "'usage'", async (_, world) =>
    {
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        for (var i = 0; i < 10; i++) await world.AcceptAsync(owner, document, document.NextDelta(owner));
    }));

    // How often some tables were read from end to end by what was done with a relay.
    private async Task<long> ReadWholeAsync(Func<NpgsqlDataSource, Task> fill, string tables, Func<PostgresRelayStore, RelayWorld, Task> use)
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var watcher = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "watcher", Pooling = false }.ConnectionString);
        await UseAsync((_, _) => Task.CompletedTask);
        await fill(watcher);
        var before = await ReadFromEndToEndAsync(watcher, tables);
        await UseAsync(use);
        return await ReadFromEndToEndAsync(watcher, tables) - before;

        async Task UseAsync(Func<PostgresRelayStore, RelayWorld, Task> relay)
        {
            await using var source = NpgsqlDataSource.Create(database.ConnectionString);
            await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
            await using var world = new RelayWorld(store);
            await relay(store, world);
        }
    }

    private static async Task FillAsync(NpgsqlDataSource source)
    {
        await ExecuteAsync(source, $"INSERT INTO usage (account, stored_bytes) SELECT sha256(i::text::bytea), 1 FROM generate_series(1, {Others}) AS i");
        await ExecuteAsync(
            source,
            $"""
            INSERT INTO document (doc, host, hosting, frontier, statements, stored_bytes, tips)
            SELECT sha256(('d' || i)::bytea), sha256(i::text::bytea), 1, '\x', 0, 1, '\x' FROM generate_series(1, {Others}) AS i
            """);
        await ExecuteAsync(
            source,
            $"""
            INSERT INTO envelope (doc, idx, id, author, seq, kind, root, commit_id, position, header, signature, body, parts)
            SELECT sha256(('d' || i)::bytea), 0, sha256(('e' || i)::bytea), '\x', 1, 1, '\x', 1, 0, '\x', '\x', '\x', '\x' FROM generate_series(1, {Others}) AS i
            """);
        await ExecuteAsync(source, $"INSERT INTO usage_share (account, kind, holder, stored_bytes) SELECT sha256(i::text::bytea), 1, sha256(('h' || i)::bytea), 1 FROM generate_series(1, {Others}) AS i");
        await ExecuteAsync(source, "ANALYZE");
    }

    // How many large tables were read whole. What a session read is counted when it has ended, so the others must have.
    private static async Task<long> ReadFromEndToEndAsync(NpgsqlDataSource source, string tables)
    {
        while (await ReadAsync(source, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'watcher' AND backend_type = 'client backend'") > 0)
            Cancel.ThrowIfCancellationRequested();
        return await ReadAsync(source, $"SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables WHERE relname IN ({tables})");
    }

    private static async Task<long> ReadAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
