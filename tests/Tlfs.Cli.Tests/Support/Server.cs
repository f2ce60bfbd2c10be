using CloudPeer.TestKit;
using Xunit;

namespace Tlfs.Cli.Tests.Support;

/// <summary>A real server with a data folder of its own, on ports that stay the same when it is started again.</summary>
public sealed class Server : IAsyncDisposable
{
    private static readonly Lazy<string> Program = new(() => RepositoryRoot.BuiltAssembly("src/CloudPeer.Api"));
    private readonly TempFolder _data = new("server");
    private readonly Dictionary<string, string?> _settings;
    private readonly List<ServerProcess> _processes = [];

    private Server(Dictionary<string, string?> settings) => _settings = settings;

    /// <summary>Its address, for <c>tlfs cloudpeer add</c>.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Its id.</summary>
    public string Peer { get; private set; } = "";

    /// <summary>Its data folder.</summary>
    public string DataFolder => _data.Path;

    /// <summary>Everything that it ever wrote to its two outputs.</summary>
    public string Output => string.Concat(_processes.Select(process => process.StandardOutput + process.StandardError));

    /// <summary>Starts a server.</summary>
    /// <param name="settings">More settings, such as <c>CLOUDPEER_DATABASE_URL</c>.</param>
    public static async Task<Server> StartAsync(params IEnumerable<(string Name, string Value)> settings)
    {
        var server = new Server(settings.ToDictionary(setting => setting.Name, string? (setting) => setting.Value, StringComparer.Ordinal));
        server._settings["CLOUDPEER_DATA_DIR"] = server._data.Path;
        var ports = FreePort.Next(2);
        server._settings.TryAdd("CLOUDPEER_HTTP_PORT", Text(ports[0]));
        server._settings.TryAdd("CLOUDPEER_GRPC_PORT", Text(ports[1]));
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts another server, with a key and data of its own, where this one listened.</summary>
    public Task<Server> StartImpostorAsync() =>
        StartAsync(_settings.Where(setting => setting.Key.EndsWith("_PORT", StringComparison.Ordinal)).Select(setting => (setting.Key, setting.Value!)));

    /// <summary>Ends the server at once, as a crash or a power cut does.</summary>
    public async Task KillAsync()
    {
        _processes[^1].Kill9();
        await _processes[^1].WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts the server on the same data and ports.</summary>
    /// <param name="settings">Settings that differ from now on.</param>
    public async Task StartAgainAsync(params IEnumerable<(string Name, string Value)> settings)
    {
        foreach (var (name, value) in settings) _settings[name] = value;
        var process = ServerProcess.Start(ProcessSpec.Dotnet(Program.Value) with { Environment = _settings, WorkingDirectory = _data.Path });
        _processes.Add(process);
        var ready = await process.WaitForLineAsync(@"^cloudpeer ready http=(?<http>\S+) grpc=(?<grpc>\S+) peer=(?<peer>\S+)$", TestContext.Current.CancellationToken);
        Url = ready.Groups["http"].Value;
        Peer = ready.Groups["peer"].Value;
    }

    /// <summary>Runs a command of the server on its data, as its operator does.</summary>
    public async Task RunAsync(params string[] args) => (await ProcessRunner.RunAsync(
        ProcessSpec.Dotnet(Program.Value, args) with { Environment = _settings, WorkingDirectory = _data.Path }, TestContext.Current.CancellationToken)).EnsureSuccess();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes) await process.DisposeAsync();
        _data.Dispose();
    }

    private static string Text(int port) => port.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
