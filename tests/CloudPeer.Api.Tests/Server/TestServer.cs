using CloudPeer.Api.Hosting;
using CloudPeer.Api.Hosting.Commands;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>Which database a test's server runs on; every test of the host runs on both.</summary>
public enum StoreKind
{
    Sqlite,
    Postgres,
}

/// <summary>A real server in this process on free ports, with a clock that the test moves. Disposing it fails the test if it logged an error.</summary>
public sealed class TestServer : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new("server");
    private readonly LogCollector _log = new();
    private readonly Dictionary<string, string?> _settings;
    private CloudPeerHost? _host;
    private GrpcChannel? _channel;

    private readonly PostgresFixture _postgres;
    private PostgresDatabase? _database;

    private TestServer(Dictionary<string, string?> settings, PostgresFixture postgres, PostgresDatabase? database)
    {
        _settings = settings;
        _postgres = postgres;
        Use(database);
        settings.TryAdd("CLOUDPEER_HTTP_PORT", "0");
        settings.TryAdd("CLOUDPEER_GRPC_PORT", "0");
        settings.TryAdd("CLOUDPEER_DATA_DIR", _folder.File("data"));
        settings.TryAdd("CLOUDPEER_CALLS_PER_SECOND", "0");
        settings.TryAdd("CLOUDPEER_ACCOUNT_CALLS_PER_SECOND", "0");
        settings.TryAdd("CLOUDPEER_ADDRESS_CALLS_PER_SECOND", "0");
    }

    public FakeTimeProvider Clock { get; } = new(Start);

    public PeerId Peer => Host.Peer;

    public string HttpUrl => Host.HttpUrl;

    public string GrpcUrl => Host.GrpcUrl;

    /// <summary>How to reach the server's PostgreSQL, if it has one.</summary>
    public string DatabaseConnection => _database?.ConnectionString ?? throw new InvalidOperationException("the server has its own files");

    /// <summary>The server's services, to see what it was told.</summary>
    public IServiceProvider Services => Host.Services;

    public string ReadyLine => Host.ReadyLine;

    public string DataFolder => _folder.File("data");

    public GrpcChannel Channel => _channel ?? throw new InvalidOperationException("the server is stopped");

    public IReadOnlyList<string> LogLines => _log.Lines;

    /// <summary>The errors that the server has logged so far and that the test expects; those that come later fail it.</summary>
    public IReadOnlyList<string> TakeErrors() => _log.TakeErrors();

    /// <summary>Lies in the store's place from the next start on; null for the truth.</summary>
    public Func<IRelayStore, IRelayStore>? Store { get; set; }

    /// <summary>When the server asks silent clients whether they are there, from the next start on; null for its own times.</summary>
    public TimeSpan? KeepAlive { get; set; }

    private CloudPeerHost Host => _host ?? throw new InvalidOperationException("the server is stopped");

    public static async Task<TestServer> StartAsync(StoreKind store, PostgresFixture postgres, params (string Name, string Value)[] settings)
    {
        var values = settings.ToDictionary(setting => "CLOUDPEER_" + setting.Name, setting => (string?)setting.Value, StringComparer.Ordinal);
        var database = store == StoreKind.Postgres ? await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken) : null;
        var server = new TestServer(values, postgres, database);
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server and starts it again over the same data.</summary>
    /// <param name="changed">Settings that differ from then on.</param>
    public async Task RestartAsync(params (string Name, string Value)[] changed)
    {
        await StopAsync();
        foreach (var (name, value) in changed) _settings["CLOUDPEER_" + name] = value;
        await StartAsync();
    }

    /// <summary>Stops the server, copies all its data as a backup would, and starts it again.</summary>
    public async Task<ServerCopy> CopyAsync()
    {
        await StopAsync();
        var copy = new ServerCopy(_database is null ? null : await _postgres.CopyDatabaseAsync(_database, TestContext.Current.CancellationToken));
        ServerCopy.CopyFolder(DataFolder, copy.Folder);
        await StartAsync();
        return copy;
    }

    /// <summary>Stops the server and puts a copy in the place of its data; it is to be started again.</summary>
    public async Task RestoreAsync(ServerCopy copy)
    {
        await StopAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(DataFolder, recursive: true);
        ServerCopy.CopyFolder(copy.Folder, DataFolder);
        if (copy.Database is { } database) Use(await _postgres.CopyDatabaseAsync(database, TestContext.Current.CancellationToken));
    }

    /// <summary>What the operator runs after a restore, on the stopped server.</summary>
    public async Task<string> BeginGenerationAsync(bool confirmed = true)
    {
        using var output = new StringWriter();
        await GenerationCommand.BeginAsync(Settings(), Clock, output, confirmed, json: false, TestContext.Current.CancellationToken);
        return output.ToString();
    }

    /// <summary>Stops the server as a service manager would, while clients are still connected.</summary>
    public async Task StopHostAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        _host = null;
    }

    /// <summary>A client of the pages.</summary>
    public HttpClient Http() => new() { BaseAddress = new(HttpUrl) };

    public async Task StopAsync()
    {
        _channel?.Dispose();
        _channel = null;
        await StopHostAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
        _log.AssertNoErrors();
    }

    /// <summary>Starts the server after it was stopped.</summary>
    public async Task StartAsync()
    {
        var overrides = new HostOverrides { Clock = Clock, LogSink = _log, Store = Store };
        if (KeepAlive is { } silence) overrides = overrides with { KeepAlive = new(silence, silence) };
        _host = await CloudPeerHost.StartAsync(Settings(), overrides, TestContext.Current.CancellationToken);
        _channel = GrpcChannel.ForAddress(_host.GrpcUrl);
    }

    /// <summary>The settings that the server runs with, for commands beside it.</summary>
    internal ServerSettings Settings()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(_settings).Build();
        var settings = SettingParser.Parse(SettingReader.Read(configuration), out var faults);
        Assert.Empty(faults);
        return settings!;
    }

    private void Use(PostgresDatabase? database)
    {
        _database = database;
        if (database is not null) _settings["CLOUDPEER_DATABASE_URL"] = database.Url;
    }
}
