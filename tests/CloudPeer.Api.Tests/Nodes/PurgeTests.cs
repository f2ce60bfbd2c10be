using CloudPeer.Api.Relay.Store;
using CloudPeer.TestKit;
using Npgsql;
using Xunit;

namespace CloudPeer.Api.Tests.Nodes;

/// <summary>Two nodes that remove the same deleted log.</summary>
public sealed class PurgeTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_that_another_node_is_removing_is_left_to_it_and_not_taken_for_removed()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var other = await source.OpenConnectionAsync(Cancel);
        await using (var deletion = new NpgsqlCommand("INSERT INTO deleted (doc, number, micros, purged) VALUES (decode(repeat('01', 32), 'hex'), 1, 1, false)", other))
            await deletion.ExecuteNonQueryAsync(Cancel);

        await using (var removing = await other.BeginTransactionAsync(Cancel))
        {
            await using var locking = new NpgsqlCommand("SELECT doc FROM deleted FOR UPDATE", other, removing);
            await locking.ExecuteScalarAsync(Cancel);
            Assert.False(await store.PurgeAsync(10, Cancel));
        }

        Assert.True(await store.PurgeAsync(10, Cancel));
        Assert.False(await store.PurgeAsync(10, Cancel));
        await using var purged = new NpgsqlCommand("SELECT purged FROM deleted", other);
        Assert.True((bool)(await purged.ExecuteScalarAsync(Cancel))!);
    }
}
