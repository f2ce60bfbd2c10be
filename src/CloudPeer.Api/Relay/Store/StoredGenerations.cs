using System.Data.Common;
using System.Globalization;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Relay.Store;

/// <summary>The rows of log generations, the same in both databases.</summary>
internal static class StoredGenerations
{
    /// <summary>Selects the generations of the document that is the parameter of this name.</summary>
    public static string Select(string document) =>
        $"""
        SELECT g.number, g.micros, r.frontier FROM generation g LEFT JOIN restored r ON r.number = g.number AND r.doc = {document}
        UNION ALL SELECT number, micros, NULL FROM deleted WHERE doc = {document} ORDER BY 1
        """;

    /// <summary>Reads a row of <see cref="Select"/>.</summary>
    public static StoredGeneration Read(DbDataReader row)
    {
        var log = CompactRange.Empty;
        if (!row.IsDBNull(2) && !CompactRange.TryDecode(row.GetFieldValue<byte[]>(2), out log)) throw new InvalidOperationException("A generation's row is damaged.");
        return new((uint)row.GetInt64(0), (ulong)row.GetInt64(1), log!);
    }

    /// <summary>Begins a generation of all logs (<see cref="IRelayStore.BeginGenerationAsync"/>).</summary>
    public static async Task<(uint Number, int Documents)> BeginAsync(DbConnection connection, ulong micros, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        (uint, ulong)? last = null;
        command.CommandText = "SELECT max(number), max(micros) FROM (SELECT number, micros FROM generation UNION ALL SELECT number, micros FROM deleted) begun";
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            if (await reader.ReadAsync(cancellationToken) && !await reader.IsDBNullAsync(0, cancellationToken)) last = ((uint)reader.GetInt64(0), (ulong)reader.GetInt64(1));
        command.CommandText = "SELECT coalesce(max(micros), 0) FROM group_commit";
        var lastCommit = Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
        var (number, began) = StoredGeneration.Next(last, (ulong)lastCommit, micros);
        Add(command, "number", (long)number);
        Add(command, "micros", (long)began);
        command.CommandText = "INSERT INTO generation (number, micros) VALUES (@number, @micros)";
        await command.ExecuteNonQueryAsync(cancellationToken);
        command.CommandText = "INSERT INTO restored (doc, number, frontier) SELECT doc, @number, frontier FROM document";
        var documents = await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (number, documents);
    }

    private static void Add(DbCommand command, string name, long value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
