using System.Globalization;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Core.Ids;

namespace CloudPeer.Bench.Load;

/// <summary>An address of the server.</summary>
/// <param name="GrpcUrl">Where gRPC is.</param>
/// <param name="Peer">The server's id.</param>
internal sealed record LoadTarget(string GrpcUrl, PeerId Peer);

/// <summary>The server under load: one that runs already, or one that is started here, with its database, and ends with this.</summary>
internal sealed class LoadServer : IAsyncDisposable
{
    private const string Ready = @"^cloudpeer ready http=(\S+) grpc=(\S+) peer=(\S+)$";
    private const string IdentityFile = "identity.key";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly LoadOptions _options;
    private readonly List<LoadTarget> _nodes = [];
    private readonly List<ServerProcess> _servers = [];
    private TempFolder? _folder;
    private PostgresCluster? _cluster;

    private LoadServer(LoadOptions options) => _options = options;

    /// <summary>Its addresses: one, or two for <c>nodes</c>.</summary>
    public IReadOnlyList<LoadTarget> Nodes => _nodes;

    /// <summary>The database, if it is PostgreSQL and was started here.</summary>
    public PostgresDatabase? Database { get; private set; }

    /// <summary>The SQLite file of the server that was started here.</summary>
    public string? SqliteFile => _folder?.File("data-0", "relay.db");

    /// <summary>What the server has used, or both.</summary>
    public ProcessUse Use => ProcessUse.OfEach(ServerIds);

    /// <summary>What the database's processes have used.</summary>
    public ProcessUse DatabaseUse => ProcessUse.OfAll(
        _options.Url is null ? ProcessUse.Descendants(Environment.ProcessId, "postgres") : _options.Processes.Skip(_nodes.Count));

    private IEnumerable<int> ServerIds => _servers.Count > 0 ? _servers.Select(server => server.Id) : _options.Processes.Take(_nodes.Count);

    /// <summary>Finds or starts it.</summary>
    /// <param name="options">What is asked for.</param>
    /// <param name="nodes">How many servers over one database.</param>
    public static async Task<LoadServer> StartAsync(LoadOptions options, int nodes = 1)
    {
        var server = new LoadServer(options);
        try
        {
            if (options.Url is not null) await server.DiscoverAsync();
            else await server.StartProcessesAsync(nodes);
            if (server._nodes.Count < nodes) throw new InvalidOperationException("this work needs --other-url");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the server's peak of memory begin again.</summary>
    public void ResetPeak()
    {
        foreach (var id in ServerIds) ProcessUse.ResetPeak(id);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
            if (server.StandardError.Length > 0) await Console.Error.WriteLineAsync(server.StandardError);
        }

        if (_cluster is not null) await _cluster.DisposeAsync();
        _folder?.Dispose();
    }

    private async Task DiscoverAsync()
    {
        foreach (var url in new[] { _options.Url, _options.OtherUrl })
        {
            if (url is null) continue;
            var info = await ServerInfo.DiscoverAsync(ServerUrl.Parse(url, allowInsecure: true), allowInsecure: true, CancellationToken.None);
            _nodes.Add(new(info.GrpcUrl, info.Server));
        }

        if (_options.Pin) await Pinning.ToClientAsync();
    }

    private async Task StartProcessesAsync(int nodes)
    {
        if (_options.Pin) await Pinning.ToServerAsync();
        _folder = new("load");
        if (_options.Store is "postgres")
        {
            _cluster = await PostgresCluster.StartAsync();
            Database = await _cluster.CreateDatabaseAsync("relay");
        }

        for (var node = 0; node < nodes; node++) await StartNodeAsync(node);
        if (_options.Pin) await Pinning.ToClientAsync();
    }

    private async Task StartNodeAsync(int node)
    {
        var folder = _folder!.Folder(string.Create(CultureInfo.InvariantCulture, $"data-{node}"));
        if (node > 0) File.Copy(_folder.File("data-0", IdentityFile), Path.Combine(folder, IdentityFile));
        var spec = ProcessSpec.Dotnet(_options.ServerAssembly ?? RepositoryRoot.BuiltAssembly("src/CloudPeer.Api"))
            .With("CLOUDPEER_HTTP_PORT", "0")
            .With("CLOUDPEER_GRPC_PORT", "0")
            .With("CLOUDPEER_DATA_DIR", folder)
            .With("CLOUDPEER_DATABASE_URL", Database?.Url)
            .With("CLOUDPEER_CALLS_PER_SECOND", "0")
            .With("CLOUDPEER_ACCOUNT_CALLS_PER_SECOND", "0")
            .With("CLOUDPEER_ADDRESS_CALLS_PER_SECOND", "0")
            .With("CLOUDPEER_LOG_LEVEL", "warning");
        foreach (var (name, value) in _options.Settings) spec = spec.With(name, value);
        var server = ServerProcess.Start(spec with { Timeout = StartLimit });
        _servers.Add(server);
        var ready = await server.WaitForLineAsync(Ready);
        if (!Id.TryParse<PeerId>(ready.Groups[3].Value, out var peer)) throw new InvalidOperationException("the server's ready line names no peer");
        _nodes.Add(new(ready.Groups[2].Value, peer));
    }
}
