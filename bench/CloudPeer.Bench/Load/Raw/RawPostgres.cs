using Npgsql;
using NpgsqlTypes;

namespace CloudPeer.Bench.Load.Raw;

/// <summary>PostgreSQL alone: rows into a table like the relay's, each batch a durable transaction, over one connection.</summary>
internal sealed class RawPostgres : IAsyncDisposable
{
    private readonly RawRows _rows = new();
    private readonly NpgsqlConnection _connection;
    private readonly List<(string Name, NpgsqlDbType Type)> _columns = [];
    private int _next;

    private RawPostgres(NpgsqlConnection connection) => _connection = connection;

    /// <inheritdoc cref="RawRows.EnvelopeBytes"/>
    public int EnvelopeBytes => _rows.EnvelopeBytes;

    /// <summary>Makes the table in the server's own database.</summary>
    public static async Task<RawPostgres> OpenAsync(string connectionString)
    {
        var raw = new RawPostgres(new(connectionString));
        await raw._connection.OpenAsync();
        await using var make = new NpgsqlCommand("CREATE TABLE raw_envelope (LIKE envelope INCLUDING ALL)", raw._connection);
        await make.ExecuteNonQueryAsync();
        await using var describe = new NpgsqlCommand(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'raw_envelope' AND is_identity = 'NO' ORDER BY ordinal_position",
            raw._connection);
        await using var reader = await describe.ExecuteReaderAsync();
        while (await reader.ReadAsync()) raw._columns.Add((reader.GetString(0), TypeOf(reader.GetString(1))));
        return raw;
    }

    /// <summary>Inserts one batch: <c>unnest</c> of an array for each column; a single row with plain values.</summary>
    public async Task InsertAsync(int rows)
    {
        var columns = string.Join(", ", _columns.Select(column => column.Name));
        var values = string.Join(", ", _columns.Select((_, i) => $"${i + 1}"));
#pragma warning disable CA2100 // The names are those of the relay's table.
        await using var insert = new NpgsqlCommand(
            rows == 1 ? $"INSERT INTO raw_envelope ({columns}) VALUES ({values})" : $"INSERT INTO raw_envelope ({columns}) SELECT * FROM unnest({values})", _connection);
#pragma warning restore CA2100
        foreach (var (name, type) in _columns)
        {
            object value = type is NpgsqlDbType.Bytea
                ? Values(rows, row => _rows.Bytes(row, name))
                : Values(rows, row => RawRows.Number(row, name));
            insert.Parameters.Add(new() { Value = value, NpgsqlDbType = rows == 1 ? type : NpgsqlDbType.Array | type });
        }

        await insert.PrepareAsync();
        await insert.ExecuteNonQueryAsync();
        _next += rows;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private object Values<T>(int rows, Func<int, T> value)
        where T : notnull => rows == 1 ? value(_next) : Enumerable.Range(_next, rows).Select(value).ToArray();

    private static NpgsqlDbType TypeOf(string type) => type switch
    {
        "bytea" => NpgsqlDbType.Bytea,
        "smallint" or "integer" or "bigint" => NpgsqlDbType.Bigint,
        _ => throw new NotSupportedException($"a column of type {type}"),
    };
}
