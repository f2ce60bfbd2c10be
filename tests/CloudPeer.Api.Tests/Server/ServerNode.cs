using CloudPeer.TestKit;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>The server as a process of its own, for tests that kill it. Without a limit on calls, on ports of its choice.</summary>
internal sealed class ServerNode : IAsyncDisposable
{
    private const string Ready = @"^cloudpeer ready http=(\S+) grpc=(\S+) peer=(peer_[a-z2-7]{52})$";

    // The promise: 20 s after it was asked to stop, the process has ended.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly ProcessSpec _spec;

    private ServerNode(ProcessSpec spec) => _spec = spec;

    public ServerProcess Process { get; private set; } = null!;

    public string HttpUrl { get; private set; } = "";

    public string GrpcUrl { get; private set; } = "";

    public PeerId Peer { get; private set; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts a node over a data folder and, if there is one, a database; it accepts requests when this returns.</summary>
    public static async Task<ServerNode> StartAsync(string dataFolder, PostgresDatabase? database, params IEnumerable<(string Name, string Value)> settings)
    {
        var spec = Spec(dataFolder, database);
        foreach (var (name, value) in settings) spec = spec.With("CLOUDPEER_" + name, value);
        var node = new ServerNode(spec);
        try
        {
            await node.StartAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the node again over the same data, after it has ended; its addresses are others.</summary>
    public async Task RestartAsync()
    {
        await Process.DisposeAsync();
        await StartAsync();
    }

    /// <summary>How a node is started.</summary>
    public static ProcessSpec Spec(string dataFolder, PostgresDatabase? database) =>
        (ProcessSpec.Dotnet(RepositoryRoot.BuiltAssembly("src/CloudPeer.Api")) with { WorkingDirectory = Path.GetTempPath(), Timeout = TimeSpan.FromSeconds(60) })
        .With("CLOUDPEER_HTTP_PORT", "0").With("CLOUDPEER_GRPC_PORT", "0")
        .With("CLOUDPEER_CALLS_PER_SECOND", "0").With("CLOUDPEER_ADDRESS_CALLS_PER_SECOND", "0")
        .With("CLOUDPEER_DATA_DIR", dataFolder).With("CLOUDPEER_DATABASE_URL", database?.Url);

    /// <summary>What an operator does for another node: a data folder with a copy of the identity.</summary>
    public static string CopyIdentity(string dataFolder, string newFolder)
    {
        Directory.CreateDirectory(newFolder);
        File.Copy(Path.Combine(dataFolder, "identity.key"), Path.Combine(newFolder, "identity.key"));
        return newFolder;
    }

    /// <summary>Kills the process (SIGKILL) and waits until it is gone.</summary>
    public async Task Kill9Async()
    {
        Process.Kill9();
        await Process.WaitForExitAsync(Cancel);
    }

    /// <summary>Asks the process to stop (SIGTERM); it has to end within the time that is promised.</summary>
    public async Task StopAsync()
    {
        await Process.TerminateAsync(Cancel);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(StopLimit);
        Assert.Equal(0, (await Process.WaitForExitAsync(limit.Token)).ExitCode);
    }

    /// <summary>Fails if the server logged an error of its own. What an unreachable database or a busy machine leaves are warnings and the health checks' words.</summary>
    public void AssertNoErrors() => Assert.DoesNotContain(
        Process.StandardError.Split('\n'),
        line => line.Contains("\"@l\":\"Error\"", StringComparison.Ordinal) && line.Contains("\"SourceContext\":\"CloudPeer", StringComparison.Ordinal));

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private async Task StartAsync()
    {
        Process = ServerProcess.Start(_spec);
        var ready = (await Process.WaitForLineAsync(Ready, Cancel)).Groups;
        Assert.True(Id.TryParse<PeerId>(ready[3].Value, out var peer));
        (HttpUrl, GrpcUrl, Peer) = (ready[1].Value, ready[2].Value, peer);
    }
}
