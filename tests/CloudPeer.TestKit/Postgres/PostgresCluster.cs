using Npgsql;
using Testcontainers.PostgreSql;

namespace CloudPeer.TestKit;

/// <summary>
/// A private PostgreSQL server for tests: its own temporary data folder, a free port of the loopback address, a random
/// password, durability settings as a real server has them. It is stopped and deleted on dispose, and when this process is
/// killed. Installed server programs are used when there are any, else a container.
/// </summary>
/// <example><code>
/// await using var cluster = await PostgresCluster.StartAsync(cancellationToken);
/// var database = await cluster.CreateDatabaseAsync("relay", cancellationToken);   // database.ConnectionString, database.Url
/// </code></example>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string Image = "postgres:17.6";
    private readonly PostgresEndpoint _endpoint;
    private readonly Func<ValueTask> _stop;
    private readonly LocalPostgres? _local;

    private PostgresCluster(PostgresEndpoint endpoint, Func<ValueTask> stop, LocalPostgres? local = null)
    {
        _endpoint = endpoint;
        _stop = stop;
        _local = local;
    }

    /// <summary>True for installed programs; a container cannot be killed and started again at the same address.</summary>
    public bool CanBeKilled => _local is not null;

    /// <summary>Starts a server; it accepts connections when this returns (about two seconds).</summary>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="PostgresUnavailableException">There are neither server programs nor a Docker engine; the text says what to install.</exception>
    public static async Task<PostgresCluster> StartAsync(CancellationToken cancellationToken = default)
    {
        if (PostgresBinaries.TryFind() is not { } binaries)
            return await StartContainerAsync(cancellationToken);

        var server = await LocalPostgres.StartAsync(binaries, cancellationToken);
        return new PostgresCluster(server.Endpoint, server.StopAsync, server);
    }

    /// <summary>Ends the server and all its processes at once (SIGKILL), as a machine that loses its power does.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It runs in a container.</exception>
    public Task Kill9Async(CancellationToken cancellationToken = default) => Local.Kill9Async(cancellationToken);

    /// <summary>Starts a killed server again over the same data, at the same address; it accepts connections when this returns.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It runs in a container.</exception>
    public Task StartAgainAsync(CancellationToken cancellationToken = default) => Local.StartAgainAsync(cancellationToken);

    private LocalPostgres Local => _local ?? throw new InvalidOperationException("A server in a container cannot be killed and started again.");

    /// <summary>A database of this server, whether it exists or not; <c>postgres</c> always does.</summary>
    /// <param name="name">The database's name.</param>
    public PostgresDatabase Database(string name) => _endpoint.Database(name);

    /// <summary>Creates an empty database.</summary>
    /// <param name="name">A name that no other test uses.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PostgresException">There is such a database already.</exception>
    public Task<PostgresDatabase> CreateDatabaseAsync(string name, CancellationToken cancellationToken = default) =>
        CreateDatabaseAsync(name, "template1", cancellationToken);

    /// <summary>Creates a database as a copy of another one.</summary>
    /// <param name="name">A name that no other test uses.</param>
    /// <param name="original">The name of a database to which nobody is connected.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PostgresException">There is such a database already.</exception>
    public async Task<PostgresDatabase> CreateDatabaseAsync(string name, string original, CancellationToken cancellationToken = default)
    {
        await using var source = NpgsqlDataSource.Create(Database("postgres").ConnectionString);
        using var quoter = new NpgsqlCommandBuilder();
        await using var command = source.CreateCommand($"CREATE DATABASE {quoter.QuoteIdentifier(name)} TEMPLATE {quoter.QuoteIdentifier(original)}");
        await command.ExecuteNonQueryAsync(cancellationToken);
        return Database(name);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await _stop();
    }

    private static async Task<PostgresCluster> StartContainerAsync(CancellationToken cancellationToken)
    {
        PostgreSqlContainer? container = null;
        try
        {
            container = new PostgreSqlBuilder(Image).Build();
            await container.StartAsync(cancellationToken);
            var connection = new NpgsqlConnectionStringBuilder(container.GetConnectionString());
            var endpoint = new PostgresEndpoint(connection.Host!, connection.Port, connection.Username!, connection.Password!);
            return new PostgresCluster(endpoint, container.DisposeAsync);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            if (container is not null)
                await container.DisposeAsync();
            throw new PostgresUnavailableException($"No server programs were found, and a container could not be started: {exception.Message}", exception);
        }
    }
}
