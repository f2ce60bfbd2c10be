using Npgsql;

namespace CloudPeer.Api.Data;

/// <summary>What is acknowledged is on the disk: a database or a role may have another default, so each session says it.</summary>
internal static class PostgresDurability
{
    private const string Setting = "SET synchronous_commit = on";

    /// <summary>The database whose sessions do so.</summary>
    /// <param name="connection">Npgsql's connection string.</param>
    public static NpgsqlDataSource Open(string connection)
    {
        // A reset between two uses of a session would bring the default back.
        var sessions = new NpgsqlConnectionStringBuilder(connection) { NoResetOnClose = true };
        return new NpgsqlDataSourceBuilder(sessions.ConnectionString).UsePhysicalConnectionInitializer(Begin, BeginAsync).Build();
    }

    private static void Begin(NpgsqlConnection session)
    {
        using var command = new NpgsqlCommand(Setting, session);
        command.ExecuteNonQuery();
    }

    private static async Task BeginAsync(NpgsqlConnection session)
    {
        await using var command = new NpgsqlCommand(Setting, session);
        await command.ExecuteNonQueryAsync();
    }
}
