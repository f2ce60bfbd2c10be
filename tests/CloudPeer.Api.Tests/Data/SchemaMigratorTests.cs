using System.Data.Common;
using CloudPeer.Api.Data;
using CloudPeer.TestKit;
using Microsoft.Data.Sqlite;
using Npgsql;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Data;

/// <summary>Migrations, the same on both databases.</summary>
public abstract class SchemaMigratorContract : IAsyncDisposable
{
    private static readonly SchemaScripts One = new("notes", ["CREATE TABLE note (text TEXT NOT NULL); CREATE TABLE tag (name TEXT NOT NULL)"]);
    private static readonly SchemaScripts Two = One with { Scripts = [.. One.Scripts, "ALTER TABLE note ADD COLUMN author TEXT; INSERT INTO note VALUES ('two', 'me')"] };

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected abstract Task<DbConnection> OpenAsync();

    [Fact]
    public async Task Each_script_runs_once_and_components_do_not_know_of_each_other()
    {
        await using var connection = await OpenAsync();
        await SchemaMigrator.MigrateAsync(connection, One, Cancel);
        await SchemaMigrator.MigrateAsync(connection, One, Cancel);
        await SchemaMigrator.MigrateAsync(connection, new("others", ["CREATE TABLE other (id INTEGER NOT NULL)"]), Cancel);
        await SchemaMigrator.MigrateAsync(connection, Two, Cancel);
        await SchemaMigrator.MigrateAsync(connection, Two, Cancel);
        Assert.Equal(1L, await CountAsync(connection, "SELECT count(*) FROM note WHERE author = 'me'"));
        Assert.Equal(3L, await CountAsync(connection, "SELECT sum(version) FROM schema_version"));
    }

    [Fact]
    public async Task A_database_of_newer_software_is_refused_with_a_sentence_and_left_alone()
    {
        await using var connection = await OpenAsync();
        await SchemaMigrator.MigrateAsync(connection, Two, Cancel);
        var refusal = await Assert.ThrowsAsync<TlfsException>(() => SchemaMigrator.MigrateAsync(connection, One, Cancel));
        Assert.Equal(Reason.Unsupported, refusal.Reason);
        Assert.Equal("The database has version 2 of the notes tables, and this software knows versions up to 1: start the newer software.", refusal.Message);
        Assert.Equal(2L, await CountAsync(connection, "SELECT version FROM schema_version"));
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_of_itself_or_of_those_before_it()
    {
        await using var connection = await OpenAsync();
        var broken = Two with { Scripts = [.. Two.Scripts, "CREATE TABLE late (id INTEGER); INSERT INTO nowhere VALUES (1)"] };
        await Assert.ThrowsAnyAsync<DbException>(() => SchemaMigrator.MigrateAsync(connection, broken, Cancel));
        await SchemaMigrator.MigrateAsync(connection, Two, Cancel);
        Assert.Equal(1L, await CountAsync(connection, "SELECT count(*) FROM note"));
    }

    [Fact]
    public async Task Processes_that_start_together_wait_for_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            await using var connection = await OpenAsync();
            await SchemaMigrator.MigrateAsync(connection, Two, Cancel);
        })));
        await using var check = await OpenAsync();
        Assert.Equal(1L, await CountAsync(check, "SELECT count(*) FROM note"));
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private static async Task<long> CountAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this test.
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(await command.ExecuteScalarAsync(Cancel), System.Globalization.CultureInfo.InvariantCulture);
    }
}

public sealed class SqliteSchemaMigratorTests : SchemaMigratorContract
{
    private readonly TempFolder _folder = new("schema");

    private protected override async Task<DbConnection> OpenAsync()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _folder.File("test.db"), Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        return connection;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}

public sealed class PostgresSchemaMigratorTests(PostgresFixture postgres) : SchemaMigratorContract
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private NpgsqlDataSource? _source;

    private protected override async Task<DbConnection> OpenAsync()
    {
        await _gate.WaitAsync(Cancel);
        try
        {
            _source ??= NpgsqlDataSource.Create((await postgres.CreateDatabaseAsync(Cancel)).ConnectionString);
        }
        finally
        {
            _gate.Release();
        }

        return await _source.OpenConnectionAsync(Cancel);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_source is not null) await _source.DisposeAsync();
        _gate.Dispose();
    }
}
