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
        await using var begun = StoredUsage.Command(
            connection, transaction, "SELECT max(number), max(micros) FROM (SELECT number, micros FROM generation UNION ALL SELECT number, micros FROM deleted) begun");
        var last = await StoredUsage.ListAsync(begun, row => row.IsDBNull(0) ? ((uint, ulong)?)null : ((uint)row.GetInt64(0), (ulong)row.GetInt64(1)), cancellationToken);
        await using var committed = StoredUsage.Command(connection, transaction, "SELECT coalesce(max(micros), 0) FROM group_commit");
        var lastCommit = Convert.ToInt64(await committed.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
        var (number, began) = StoredGeneration.Next(last[0], (ulong)lastCommit, micros);
        await using var begin = StoredUsage.Command(
            connection, transaction, "INSERT INTO generation (number, micros) VALUES (@number, @micros)", ("number", (long)number), ("micros", (long)began));
        await begin.ExecuteNonQueryAsync(cancellationToken);
        await using var restore = StoredUsage.Command(
            connection, transaction, "INSERT INTO restored (doc, number, frontier) SELECT doc, @number, frontier FROM document", ("number", (long)number));
        var documents = await restore.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (number, documents);
    }
}
