using Microsoft.Data.Sqlite;

namespace CloudPeer.Bench.Load.Raw;

/// <summary>SQLite alone: rows into a table like the relay's, in a file of its own, each batch a transaction that is flushed.</summary>
internal sealed class RawSqlite : IAsyncDisposable
{
    private readonly RawRows _rows = new();
    private readonly SqliteConnection _connection;
    private readonly List<(string Name, bool IsBytes)> _columns = [];
    private int _next;

    private RawSqlite(SqliteConnection connection) => _connection = connection;

    /// <inheritdoc cref="RawRows.EnvelopeBytes"/>
    public int EnvelopeBytes => _rows.EnvelopeBytes;

    /// <summary>Makes the file.</summary>
    /// <param name="model">The relay's file, whose table is copied.</param>
    /// <param name="file">The new file.</param>
    public static async Task<RawSqlite> OpenAsync(string model, string file)
    {
        var raw = new RawSqlite(new(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString));
        await raw._connection.OpenAsync();
        await raw.RunAsync("PRAGMA journal_mode = WAL");
        await raw.RunAsync("PRAGMA synchronous = FULL");
        foreach (var sql in await ShapeAsync(model)) await raw.RunAsync(sql);
        await using var describe = raw._connection.CreateCommand();
        describe.CommandText = "SELECT name, type FROM pragma_table_info('envelope')";
        await using var reader = await describe.ExecuteReaderAsync();
        while (await reader.ReadAsync()) raw._columns.Add((reader.GetString(0), reader.GetString(1) is "BLOB"));
        return raw;
    }

    /// <summary>Inserts one batch.</summary>
    public async Task InsertAsync(int rows)
    {
        await using var transaction = (SqliteTransaction)await _connection.BeginTransactionAsync();
        await using var insert = _connection.CreateCommand();
        insert.Transaction = transaction;
#pragma warning disable CA2100 // The names are those of the relay's table.
        insert.CommandText =
            $"INSERT INTO envelope ({string.Join(", ", _columns.Select(column => column.Name))}) VALUES ({string.Join(", ", _columns.Select(column => "$" + column.Name))})";
#pragma warning restore CA2100
        foreach (var (name, _) in _columns) insert.Parameters.Add(new() { ParameterName = "$" + name });
        for (var end = _next + rows; _next < end; _next++)
        {
            for (var i = 0; i < _columns.Count; i++)
                insert.Parameters[i].Value = _columns[i].IsBytes ? _rows.Bytes(_next, _columns[i].Name) : RawRows.Number(_next, _columns[i].Name);
            await insert.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static async Task<List<string>> ShapeAsync(string model)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = model, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var find = connection.CreateCommand();
        find.CommandText = "SELECT sql FROM sqlite_master WHERE tbl_name = 'envelope' AND sql IS NOT NULL ORDER BY type DESC";
        await using var reader = await find.ExecuteReaderAsync();
        var shape = new List<string>();
        while (await reader.ReadAsync()) shape.Add(reader.GetString(0));
        return shape;
    }

    private async Task RunAsync(string sql)
    {
        await using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the constants of this class and those of the relay's file.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
