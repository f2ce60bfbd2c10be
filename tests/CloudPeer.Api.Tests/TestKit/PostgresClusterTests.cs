using CloudPeer.TestKit;
using Npgsql;
using Xunit;

namespace CloudPeer.Api.Tests.TestKit;

public sealed class PostgresClusterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_created_database_is_reachable_empty_and_durable_and_gone_after_dispose()
    {
        string connectionString;
        await using (var cluster = await PostgresCluster.StartAsync(Cancel))
        {
            var database = await cluster.CreateDatabaseAsync("Two words", Cancel);
            connectionString = database.ConnectionString;

            Assert.Equal("Two words", await ScalarAsync(connectionString, "SELECT current_database()"));
            Assert.Equal(0L, await ScalarAsync(connectionString, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
            Assert.Equal("on", await ScalarAsync(connectionString, "SHOW fsync"));
            Assert.Matches(@"^postgres://\w+:\w+@[\w.]+:\d+/Two%20words$", database.Url);
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync(connectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        await using var cluster = await PostgresCluster.StartAsync(Cancel);
        var connection = new NpgsqlConnectionStringBuilder(cluster.Database("postgres").ConnectionString) { Password = "wrong" };

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection.ConnectionString, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
