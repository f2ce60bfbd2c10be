using System.Data.Common;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Api.Tests.Inbox;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>
/// How what is acknowledged is committed. Triggers on the tables note the settings of the session that writes, in the transaction that it writes in.
/// </summary>
public sealed class DurableSettingTests(PostgresFixture postgres)
{
    private static readonly string[] RelayTables = ["envelope", "generation"], HostTables = ["tenant", "inbox", "inbox_message"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task What_a_server_acknowledges_is_flushed_whatever_the_databases_default_is(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        await server.StopAsync();
        await WatchAsync(server, store);
        await server.StartAsync();
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);

        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await InboxClient.SetTokenAsync(alice, server);
        await InboxClient.SendAsync(bob, alice, 1);
        Assert.Equal(1u, await InboxClient.AckAllAsync(alice, server));
        await server.StopAsync();
        await server.BeginGenerationAsync();

        var seen = await SeenAsync(server, store);
        Assert.Equal(HostTables.Concat(RelayTables).ToHashSet(StringComparer.Ordinal), seen.Select(each => each.Table).ToHashSet(StringComparer.Ordinal));
        Assert.All(seen, each => Assert.Equal(store == StoreKind.Postgres ? "on" : "2 wal", each.Setting));
    }

    [Fact]
    public async Task A_group_commit_on_postgresql_is_flushed_also_in_a_session_that_a_pooler_gave_it()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await ExecuteAsync(database.ConnectionString, "CREATE TABLE seen (at text, setting text)", PostgresDefault);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await ExecuteAsync(database.ConnectionString, PostgresFunction, PostgresTrigger("envelope"));
        await using var world = new RelayWorld(store);
        await world.HostedAsync(world.Tenant());
        await using var unset = source.CreateCommand("SHOW synchronous_commit");

        Assert.Equal("off", await unset.ExecuteScalarAsync(Cancel));
        await using var connection = await source.OpenConnectionAsync(Cancel);
        Assert.Equal([("envelope", "on")], await SeenAsync(connection));
    }

    private const string PostgresDefault = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";

    private const string PostgresFunction =
        """
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO seen VALUES (TG_TABLE_NAME, current_setting('synchronous_commit')); RETURN NULL; END $$
        """;

    private static string PostgresTrigger(string table) => $"CREATE TRIGGER sees AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION see()";

    private static IEnumerable<string> SqliteTriggers(string table) => ((string[])["INSERT", "UPDATE", "DELETE"]).Select(change =>
        $"""
        CREATE TRIGGER sees_{change}_{table} AFTER {change} ON {table} BEGIN
            INSERT INTO seen SELECT '{table}', synchronous || ' ' || journal_mode FROM pragma_synchronous, pragma_journal_mode;
        END
        """);

    private static async Task WatchAsync(TestServer server, StoreKind store)
    {
        const string table = "CREATE TABLE seen (at text, setting text)";
        if (store == StoreKind.Postgres)
        {
            await ExecuteAsync(server.DatabaseConnection, [table, PostgresDefault, PostgresFunction, .. RelayTables.Concat(HostTables).Select(PostgresTrigger)]);
            return;
        }

        await ExecuteAsync(Sqlite(server, "relay.db"), [table, .. RelayTables.SelectMany(SqliteTriggers)]);
        await ExecuteAsync(Sqlite(server, "accounts.db"), [table, .. HostTables.SelectMany(SqliteTriggers)]);
    }

    private static async Task<IReadOnlyList<(string Table, string Setting)>> SeenAsync(TestServer server, StoreKind store)
    {
        if (store == StoreKind.Postgres) return await SeenAsync(server.DatabaseConnection);
        return [.. await SeenAsync(Sqlite(server, "relay.db")), .. await SeenAsync(Sqlite(server, "accounts.db"))];
    }

    private static string Sqlite(TestServer server, string file) =>
        new SqliteConnectionStringBuilder { DataSource = Path.Combine(server.DataFolder, file), Pooling = false }.ConnectionString;

    private static async Task<IReadOnlyList<(string Table, string Setting)>> SeenAsync(string database)
    {
        await using var connection = Connect(database);
        await connection.OpenAsync(Cancel);
        return await SeenAsync(connection);
    }

    private static async Task<IReadOnlyList<(string Table, string Setting)>> SeenAsync(DbConnection connection)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT DISTINCT at, setting FROM seen";
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var seen = new List<(string, string)>();
        while (await reader.ReadAsync(Cancel)) seen.Add((reader.GetString(0), reader.GetString(1)));
        return seen;
    }

    private static async Task ExecuteAsync(string database, params IEnumerable<string> statements)
    {
        await using var connection = Connect(database);
        await connection.OpenAsync(Cancel);
        foreach (var statement in statements)
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the constants of this class.
            command.CommandText = statement;
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    private static DbConnection Connect(string database) =>
        database.StartsWith("Data Source=", StringComparison.Ordinal) ? new SqliteConnection(database) : new NpgsqlConnection(database);
}
