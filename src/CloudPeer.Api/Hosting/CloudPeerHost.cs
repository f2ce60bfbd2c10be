using CloudPeer.Api.Accounts;
using CloudPeer.Api.Data;
using CloudPeer.Api.Discovery;
using CloudPeer.Api.Hosting.Health;
using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Hosting.Measurements;
using CloudPeer.Api.Hosting.Pages;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Inbox;
using CloudPeer.Api.Keys;
using CloudPeer.Api.Relay;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Api.Sessions;
using CloudPeer.Sync.Relay;
using Npgsql;
using Serilog;
using Serilog.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting;

/// <summary>What tests replace in a server.</summary>
internal sealed record HostOverrides
{
    /// <summary>The clock of sessions, receipts and expiry.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Takes the log instead of standard error.</summary>
    public ILogEventSink? LogSink { get; init; }

    /// <summary>Replaces half a minute of silence, for which no test waits.</summary>
    public KeepAlive KeepAlive { get; init; } = new(ServerLimits.PingDelay, ServerLimits.PingTimeout);

    /// <summary>Stands between the relay and its store.</summary>
    public Func<IRelayStore, IRelayStore>? Store { get; init; }
}

/// <summary>A running server: owns the data folder, the identity, the stores and the web application, and ends them in the right order.</summary>
internal sealed partial class CloudPeerHost : IAsyncDisposable
{
    private readonly HostResources _resources;
    private readonly ServerIdentity _identity;
    private readonly WebApplication _app;
    private readonly Listeners _listeners;

    private CloudPeerHost(HostResources resources, ServerIdentity identity, WebApplication app, Listeners listeners)
    {
        _resources = resources;
        _identity = identity;
        _app = app;
        _listeners = listeners;
    }

    /// <summary>The server's id.</summary>
    public PeerId Peer => _identity.Peer;

    /// <summary>The pages' address on this machine.</summary>
    public string HttpUrl => _listeners.LocalHttpUrl;

    /// <summary>The address of gRPC on this machine.</summary>
    public string GrpcUrl => _listeners.LocalGrpcUrl;

    /// <summary>The server's services, for tests.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The one line of standard output; other programs wait for it.</summary>
    public string ReadyLine => $"cloudpeer ready http={HttpUrl} grpc={GrpcUrl} peer={Peer}";

    /// <summary>Starts a server; it accepts requests when this returns.</summary>
    /// <exception cref="Tlfs.Core.TlfsException">Folder, key, database or port cannot be used; the message says which and what to do.</exception>
    public static async Task<CloudPeerHost> StartAsync(ServerSettings settings, HostOverrides overrides, CancellationToken cancellationToken)
    {
        var resources = new HostResources();
        try
        {
            var folder = resources.Own(() => DataFolder.Open(settings));
            var identity = resources.Own(() => ServerIdentity.LoadOrCreate(folder, SystemEntropy.Instance));
            var database = settings.PostgresConnection is { } connection ? resources.Own(() => PostgresDurability.Open(connection)) : null;
            var listening = settings.PostgresListenConnection is { } direct ? resources.Own(() => PostgresDurability.Open(direct)) : null;
            var blobs = StoreFeature.Blobs(settings, identity.Peer);
            var store = await resources.OwnAsync(
                () => StartupFailure.ExplainDatabase(() => StoreFeature.OpenAsync(database, folder, blobs, cancellationToken, listening), settings));
            var listeners = new Listeners(settings, overrides.KeepAlive);
            var app = await resources.OwnAsync(() => Task.FromResult(Build(settings, overrides, new(folder, identity, database, store, blobs, listeners))));
            LogStarting(app.Logger, folder.Path, database is null ? "SQLite" : "PostgreSQL");
            await StartupFailure.ExplainDatabase(() => app.Services.GetRequiredService<HostSchema>().PrepareAsync(cancellationToken), settings);

            // It removes what a process before this one left of deleted documents, and hears of other nodes, before anybody calls.
            app.Services.GetRequiredService<DocumentRelay>();
            await StartupFailure.ExplainPorts(() => app.StartAsync(cancellationToken), settings);
            return new(resources, identity, app, listeners);
        }
        catch
        {
            await resources.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when somebody asked the server to stop and it has stopped.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _app.WaitForShutdownAsync(cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _resources.DisposeAsync();
    }

    private static WebApplication Build(ServerSettings settings, HostOverrides overrides, Parts parts)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(parts.Listeners.Configure);
        var services = builder.Services;
        services.AddSerilog(log => Logging.Configure(log, settings, overrides.LogSink), preserveStaticLogger: true);
        services.AddSingleton(settings).AddSingleton(parts.Listeners).AddSingleton(parts.Folder).AddSingleton(overrides.Clock).AddSingleton(parts.Identity.Key);
        services.AddSingleton<CallLimiter>().AddSingleton<SignedCalls>();
        services.AddHostDatabase(parts.Database, parts.Folder, parts.Identity.Peer);
        services.Configure<HostOptions>(options => options.ShutdownTimeout = ServerLimits.Shutdown);
        services.AddGrpcServer(settings).AddPages().AddMeasurements(settings);
        services.AddHealth().AddSessions().AddDiscovery().AddAccounts().AddInbox().AddRelay(overrides.Store?.Invoke(parts.Store) ?? parts.Store).AddBlobSweep(parts.Blobs, parts.Store);

        var app = builder.Build();
        app.UseMeasurements(settings);
        app.UseCallerAddress(settings);
        app.UsePages();
        app.UseRouting();
        app.UseGrpcServer();
        app.UseAddressLimit();
        app.UseFrameFaults();
        app.MapGrpcServer(settings);
        app.MapPages();
        app.MapSessions();
        app.MapDiscovery();
        app.MapHealth();
        app.MapAccounts();
        app.MapKeys();
        app.MapInbox();
        app.MapRelay();
        return app;
    }

    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "Data folder {Folder}, store {Store}")]
    private static partial void LogStarting(Microsoft.Extensions.Logging.ILogger log, string folder, string store);

    private sealed record Parts(DataFolder Folder, ServerIdentity Identity, NpgsqlDataSource? Database, IRelayStore Store, BlobFolder Blobs, Listeners Listeners);
}
