using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using Tlfs.Core;

namespace CloudPeer.Api.Data;

/// <summary>
/// Brings a component's tables to the version of this software: applies the scripts that are missing, all in one transaction, and records
/// the version beside them. Processes that start together over one database wait for each other.
/// </summary>
internal static class SchemaMigrator
{
    // Any number will do, as long as all versions of this software use the same one.
    private const long PostgresLock = 0x636c6f7564706565;

    private const string CreateVersions = "CREATE TABLE IF NOT EXISTS schema_version (component TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL)";

    /// <summary>Migrates over an open connection to SQLite or PostgreSQL.</summary>
    /// <param name="connection">An open connection without a transaction.</param>
    /// <param name="scripts">The component's scripts for this kind of database.</param>
    /// <param name="cancellationToken">Gives up; nothing has changed then.</param>
    /// <exception cref="TlfsException">The database was made by newer software (<see cref="Reason.Unsupported"/>).</exception>
    public static async Task MigrateAsync(DbConnection connection, SchemaScripts scripts, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(connection, cancellationToken);
        await ExecuteAsync(connection, transaction, CreateVersions, cancellationToken);
        var found = await FindVersionAsync(connection, transaction, scripts.Component, cancellationToken);
        if (found > scripts.Version)
        {
            throw new TlfsException(
                Reason.Unsupported,
                $"The database has version {found} of the {scripts.Component} tables, and this software knows versions up to {scripts.Version}: start the newer software.");
        }

        foreach (var script in scripts.Scripts.Skip(found)) await ExecuteAsync(connection, transaction, script, cancellationToken);
        if (found < scripts.Version) await RecordAsync(connection, transaction, scripts, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        // SQLite takes its write lock at once.
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (connection is NpgsqlConnection) await ExecuteAsync(connection, transaction, $"SELECT pg_advisory_xact_lock({PostgresLock})", cancellationToken);
        return transaction;
    }

    private static async Task<int> FindVersionAsync(
        DbConnection connection, DbTransaction transaction, string component, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, transaction, "SELECT version FROM schema_version WHERE component = @component");
        Add(command, "component", component);
        return Convert.ToInt32(await command.ExecuteScalarAsync(cancellationToken) ?? 0, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task RecordAsync(DbConnection connection, DbTransaction transaction, SchemaScripts scripts, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            transaction,
            "INSERT INTO schema_version (component, version) VALUES (@component, @version) ON CONFLICT (component) DO UPDATE SET version = excluded.version");
        Add(command, "component", scripts.Component);
        Add(command, "version", scripts.Version);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(DbConnection connection, DbTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, transaction, sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [SuppressMessage("Security", "CA2100", Justification = "The text is a constant or a script embedded in this assembly; values are parameters.")]
    private static DbCommand Command(DbConnection connection, DbTransaction transaction, string sql)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return command;
    }

    private static void Add(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
