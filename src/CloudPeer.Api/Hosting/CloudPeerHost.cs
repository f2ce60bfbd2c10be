using CloudPeer.Api.Discovery;
using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Hosting.Pages;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Sessions;
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
}

/// <summary>A running server: owns the data folder, the identity and the web application, and ends them in the right order.</summary>
internal sealed partial class CloudPeerHost : IAsyncDisposable
{
    private readonly DataFolder _folder;
    private readonly ServerIdentity _identity;
    private readonly WebApplication _app;
    private readonly Listeners _listeners;

    private CloudPeerHost(DataFolder folder, ServerIdentity identity, WebApplication app, Listeners listeners)
    {
        _folder = folder;
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
        var folder = DataFolder.Open(settings);
        ServerIdentity? identity = null;
        WebApplication? app = null;
        try
        {
            identity = ServerIdentity.LoadOrCreate(folder, SystemEntropy.Instance);
            var listeners = new Listeners(settings);
            app = Build(settings, overrides, folder, identity, listeners);
            LogStarting(app.Logger, folder.Path, settings.PostgresConnection is null ? "SQLite" : "PostgreSQL");
            await StartupFailure.Explain(() => app.StartAsync(cancellationToken), settings);
            return new(folder, identity, app, listeners);
        }
        catch
        {
            if (app is not null) await app.DisposeAsync();
            identity?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Returns when somebody asked the server to stop and it has stopped.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _app.WaitForShutdownAsync(cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _identity.Dispose();
        _folder.Dispose();
    }

    private static WebApplication Build(ServerSettings settings, HostOverrides overrides, DataFolder folder, ServerIdentity identity, Listeners listeners)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(listeners.Configure);
        var services = builder.Services;
        services.AddSerilog(log => Logging.Configure(log, settings, overrides.LogSink), preserveStaticLogger: true);
        services.AddSingleton(settings).AddSingleton(listeners).AddSingleton(folder).AddSingleton(overrides.Clock).AddSingleton(identity.Key);
        services.AddSingleton<CallLimiter>();
        services.Configure<HostOptions>(options => options.ShutdownTimeout = ServerLimits.Shutdown);
        services.AddGrpcServer(settings).AddPages();
        services.AddSessions().AddDiscovery();

        var app = builder.Build();
        app.UsePages();
        app.UseRouting();
        app.UseGrpcServer();
        app.MapGrpcServer(settings);
        app.MapPages();
        app.MapSessions();
        app.MapDiscovery();
        return app;
    }

    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "Data folder {Folder}, store {Store}")]
    private static partial void LogStarting(Microsoft.Extensions.Logging.ILogger log, string folder, string store);
}
