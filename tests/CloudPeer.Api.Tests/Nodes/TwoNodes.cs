using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Npgsql;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Nodes;

/// <summary>Two processes of one server over one PostgreSQL, each with a data folder of its own and a copy of the identity.</summary>
public sealed class TwoNodes : IAsyncDisposable
{
    private readonly TempFolder _folder = new("nodes");
    private readonly List<IDisposable> _keys = [];
    private readonly List<IAsyncDisposable> _connections = [];

    private TwoNodes(PostgresDatabase database) => Database = database;

    public PostgresDatabase Database { get; }

    internal ServerNode First { get; private set; } = null!;

    internal ServerNode Second { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<TwoNodes> StartAsync(PostgresFixture postgres)
    {
        var nodes = new TwoNodes(await postgres.CreateDatabaseAsync(Cancel));
        try
        {
            nodes.First = await ServerNode.StartAsync(nodes._folder.File("first"), nodes.Database);
            nodes.Second = await ServerNode.StartAsync(ServerNode.CopyIdentity(nodes._folder.File("first"), nodes._folder.File("second")), nodes.Database);
            Assert.Equal(nodes.First.Peer, nodes.Second.Peer);
            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>A device's connection to one node.</summary>
    internal CloudpeerConnection Connect(ServerNode node, SigningKey device)
    {
        var connection = new CloudpeerConnection(node.GrpcUrl, node.Peer, device, SystemEntropy.Instance, TimeProvider.System);
        _connections.Add(connection);
        return connection;
    }

    public SigningKey Device()
    {
        var device = SigningKey.Generate(SystemEntropy.Instance);
        _keys.Add(device);
        return device;
    }

    /// <summary>A document of the owner's that the first node hosts and the readers may read.</summary>
    public async Task<DocumentBuilder> HostAsync(SigningKey owner, params IEnumerable<PeerId> readers)
    {
        using var kem = KemKey.Generate(SystemEntropy.Instance);
        var connection = Connect(First, owner);
        await connection.CreateAccountAsync(TestDevice.MakeCard(SystemEntropy.Instance, owner, kem, 1), null, Cancel);
        var document = new DocumentBuilder(SystemEntropy.Instance, owner);
        document.NextGrant(owner, First.Peer, Permission.Sync);
        foreach (var reader in readers) document.NextGrant(owner, reader, Permission.Read);
        Assert.Null(Assert.Single(await connection.PushAsync(document.Id, [document.Envelopes], Cancel)).Refusal);
        return document;
    }

    /// <summary>Ends the connections by which nodes listen, as a failing network would.</summary>
    /// <returns>How many there were.</returns>
    public async Task<long> CutListenersAsync()
    {
        await using var source = NpgsqlDataSource.Create(Database.ConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN %' OR query = 'SELECT 1')
            """);
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) await connection.DisposeAsync();
        _keys.ForEach(key => key.Dispose());
        if (First is not null) await First.DisposeAsync();
        if (Second is not null) await Second.DisposeAsync();
        _folder.Dispose();
    }
}
