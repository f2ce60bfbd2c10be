using Xunit;

namespace CloudPeer.TestKit;

/// <summary>
/// One <see cref="PostgresCluster"/> for a whole test assembly, started by the first test that asks. Register it with
/// <c>[assembly: AssemblyFixture(typeof(PostgresFixture))]</c> and take it as a constructor argument.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private PostgresCluster? _cluster;
    private int _databases;

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The server, started on first use.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PostgresUnavailableException">This machine has no PostgreSQL; the text says what to install.</exception>
    public async Task<PostgresCluster> ClusterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _cluster ??= await PostgresCluster.StartAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A new empty database with a name of its own.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PostgresUnavailableException">This machine has no PostgreSQL; the text says what to install.</exception>
    public async Task<PostgresDatabase> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var cluster = await ClusterAsync(cancellationToken);
        return await cluster.CreateDatabaseAsync($"test_{Interlocked.Increment(ref _databases)}", cancellationToken);
    }

    /// <summary>A new database with the content of another one, to which nobody is connected.</summary>
    /// <param name="original">The database to copy.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<PostgresDatabase> CopyDatabaseAsync(PostgresDatabase original, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(original);
        var cluster = await ClusterAsync(cancellationToken);
        return await cluster.CreateDatabaseAsync($"test_{Interlocked.Increment(ref _databases)}", original.Name, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        _gate.Dispose();
    }
}
