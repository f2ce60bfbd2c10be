using System.Globalization;
using System.Net;
using CloudPeer.Api.Hosting.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>When a connection with calls is asked whether anybody is there, and how long the answer may take.</summary>
internal readonly record struct KeepAlive(TimeSpan Delay, TimeSpan Timeout);

/// <summary>The ports and the addresses under which clients find them.</summary>
internal sealed class Listeners(ServerSettings settings, KeepAlive keepAlive)
{
    private readonly ConnectionLimiter _connections = new(settings);
    private ListenOptions? _http;
    private ListenOptions? _grpc;

    /// <summary>The real ports, once the server has started.</summary>
    public int HttpPort => Port(_http, settings.HttpPort);

    /// <inheritdoc cref="HttpPort"/>
    public int GrpcPort => Port(_grpc, settings.GrpcPort);

    /// <summary>The pages' address, as this machine reaches them.</summary>
    public string LocalHttpUrl => Local(settings.HttpPort, HttpPort);

    /// <summary>The address of gRPC, as this machine reaches it.</summary>
    public string LocalGrpcUrl => Local(settings.GrpcPort, GrpcPort);

    /// <summary>The pages' address for the caller of this request.</summary>
    public string PublicHttpUrl(HttpRequest request) => settings.BaseUrl is { } url ? Trim(url) : AsReached(request, HttpPort) ?? LocalHttpUrl;

    /// <summary>The address of gRPC for the caller of this request.</summary>
    public string PublicGrpcUrl(HttpRequest request) => settings.GrpcUrl is { } url ? Trim(url) : AsReached(request, GrpcPort) ?? LocalGrpcUrl;

    /// <summary>Opens the ports when Kestrel starts.</summary>
    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = settings.MaxConnections == 0 ? null : settings.MaxConnections;
        limits.MaxRequestBodySize = ServerLimits.RequestBytes;
        limits.MinRequestBodyDataRate = limits.MinResponseDataRate = new(ServerLimits.LeastBytesPerSecond, ServerLimits.SlowFor);
        limits.RequestHeadersTimeout = ServerLimits.RequestHeaders;
        limits.KeepAliveTimeout = ServerLimits.IdleConnection;
        limits.Http2.MaxStreamsPerConnection = ServerLimits.CallsPerConnection;
        limits.Http2.KeepAlivePingDelay = keepAlive.Delay;
        limits.Http2.KeepAlivePingTimeout = keepAlive.Timeout;
        Listen(kestrel, settings.HttpPort, options => (_http = options).Protocols = HttpProtocols.Http1);
        Listen(kestrel, settings.GrpcPort, options => (_grpc = options).Protocols = HttpProtocols.Http2);
        if (settings.MetricsPort > 0) Listen(kestrel, settings.MetricsPort, options => options.Protocols = HttpProtocols.Http1);
    }

    private void Listen(KestrelServerOptions kestrel, int port, Action<ListenOptions> configure)
    {
        // "localhost" means two sockets, which cannot agree on a free port; one is enough then.
        if (settings.Bind is null && port > 0) kestrel.ListenLocalhost(port, Guarded);
        else kestrel.Listen(settings.Bind ?? IPAddress.Loopback, port, Guarded);

        void Guarded(ListenOptions options)
        {
            options.Use(_connections.Guard);
            configure(options);
        }
    }

    // A server that listens on every address has no name of its own: the one by which it was reached is right for that caller.
    private string? AsReached(HttpRequest request, int port) =>
        settings.IsAnyAddress && request.Host.HasValue && Uri.CheckHostName(request.Host.Host.Trim('[', ']')) != UriHostNameType.Unknown
            ? Url(request.Host.Host, port)
            : null;

    private string Local(int setting, int port)
    {
        if (settings.IsAnyAddress) return Url("localhost", port);
        if (settings.Bind is { } address) return Url(address.AddressFamily is System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString(), port);
        return Url(setting > 0 ? "localhost" : "127.0.0.1", port);
    }

    private static int Port(ListenOptions? options, int setting) => setting > 0 ? setting : options?.IPEndPoint?.Port ?? 0;

    private static string Trim(Uri url) => url.AbsoluteUri.TrimEnd('/');

    private static string Url(string host, int port) => string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}");
}
