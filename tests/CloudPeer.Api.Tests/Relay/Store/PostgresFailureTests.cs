using CloudPeer.Api.Relay.Store;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Npgsql;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

public sealed class PostgresFailureTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("53100", Reason.StorageFull)]
    [InlineData("57P01", Reason.Unavailable)]
    [InlineData("25006", Reason.Unavailable)]
    [InlineData("57014", Reason.Unavailable)]
    [InlineData("XX000", Reason.Internal)]
    public async Task A_failing_database_refuses_and_all_is_well_when_it_works_again(string state, Reason reason)
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var delta = document.NextDelta(owner);
        await ExecuteAsync(source, "CREATE TABLE failure (state text)");
        await ExecuteAsync(source, $"INSERT INTO failure VALUES ('{state}')");
        await ExecuteAsync(source, """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE found text := (SELECT min(state) FROM failure);
            BEGIN IF found IS NOT NULL THEN RAISE EXCEPTION 'no' USING ERRCODE = found; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fails BEFORE INSERT ON envelope FOR EACH ROW EXECUTE FUNCTION fail()
            """);

        Assert.Equal(reason, (await world.RefuseAsync(owner, document, delta)).Reason);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
        await ExecuteAsync(source, "DELETE FROM failure");
        await world.AcceptAsync(owner, document, delta);
        Assert.Single(world.Faults);
    }

    [Fact]
    public async Task A_cut_connection_refuses_and_the_next_push_has_a_new_one()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await using var admin = NpgsqlDataSource.Create(database.ConnectionString);
        await ExecuteAsync(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

        // The pool may notice by itself, or the push finds out.
        var delta = document.NextDelta(owner);
        var first = await world.PushAsync(owner, document, delta);
        Assert.True(first.Succeeded || first.Refusal.Reason == Reason.Unavailable, first.Refusal?.ToString());
        Assert.Equal(2UL, (await world.AcceptAsync(owner, document, delta))[0].Leaf.Index);
    }

    [Fact]
    public async Task What_is_acknowledged_while_a_document_is_deleted_does_not_outlive_it()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await using var deleting = await source.OpenConnectionAsync(Cancel);
        await using var deletion = await deleting.BeginTransactionAsync(Cancel);
        await using (var delete = new NpgsqlCommand("DELETE FROM document; DELETE FROM delivered", deleting, deletion)) await delete.ExecuteNonQueryAsync(Cancel);

        var acknowledging = store.UpdateDeliveredAsync([document.Id], (_, _) => [new(owner.Public, 2, 1)], Cancel);
        while (!acknowledging.IsCompleted && await CountAsync(source, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) await Task.Yield();
        await deletion.CommitAsync(Cancel);
        await acknowledging;

        Assert.Equal(0, await CountAsync(source, "SELECT count(*) FROM delivered"));
    }

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
#pragma warning disable CA2100 // Constants of this test.
        await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
#pragma warning disable CA2100 // Constants of this test.
        await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
