using System.Text.Json.Serialization;
using CloudPeer.Api.Hosting;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Microsoft.Net.Http.Headers;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Discovery;

/// <summary>What a client needs to know before it has a session: as JSON at <c>/.well-known/cloudpeer</c> and over gRPC.</summary>
internal static class DiscoveryFeature
{
    public const string Path = "/.well-known/cloudpeer";

    public static IServiceCollection AddDiscovery(this IServiceCollection services) => services.AddSingleton<ServerDescription>();

    public static void MapDiscovery(this IEndpointRouteBuilder app)
    {
        app.MapGrpcService<DiscoveryService>();
        app.MapGet(Path, (HttpContext context, ServerDescription description) =>
        {
            // Browsers of any site may read it, and the addresses may depend on who asks.
            context.Response.Headers[HeaderNames.AccessControlAllowOrigin] = "*";
            context.Response.Headers[HeaderNames.CacheControl] = "no-store";
            return Results.Json(WellKnown.From(description.For(context.Request)), WellKnownJson.Default.WellKnown);
        });
    }
}

/// <summary>The server's description of itself.</summary>
internal sealed class ServerDescription(ServerSettings settings, Listeners listeners, SigningKey server)
{
    public V1.ServerInfo For(HttpRequest request) => new()
    {
        Server = server.Public.ToWire(),
        Name = settings.Name,
        Version = ProductVersion.Text,
        ProtocolMin = ProductVersion.Protocol,
        ProtocolMax = ProductVersion.Protocol,
        BaseUrl = listeners.PublicHttpUrl(request),
        GrpcUrl = listeners.PublicGrpcUrl(request),
        Registration = settings.RegistrationOpen ? "open" : "closed",
        MaxEnvelopeBytes = Limits.EnvelopeBytes,
        MaxSubscriptions = (uint)settings.MaxSubscriptions,
    };
}

/// <summary>The <c>Discovery</c> service.</summary>
internal sealed class DiscoveryService(ServerDescription description) : V1.Discovery.DiscoveryBase
{
    public override Task<V1.ServerInfo> GetServer(V1.GetServerRequest request, ServerCallContext context) =>
        Task.FromResult(description.For(context.GetHttpContext().Request));
}

/// <summary>The same as JSON.</summary>
internal sealed record WellKnown(
    string Server, string Name, string Version, WellKnownRange Protocol, string BaseUrl, string GrpcUrl, string Registration, WellKnownLimits Limits)
{
    public static WellKnown From(V1.ServerInfo info) => new(
        WireIds.Read<Tlfs.Core.Ids.PeerId>(info.Server, "server").ToString(),
        info.Name,
        info.Version,
        new(info.ProtocolMin, info.ProtocolMax),
        info.BaseUrl,
        info.GrpcUrl,
        info.Registration,
        new(info.MaxEnvelopeBytes, info.MaxSubscriptions));
}

/// <summary>The protocol's versions that the server speaks.</summary>
internal sealed record WellKnownRange(uint Min, uint Max);

/// <summary>Limits that clients keep to.</summary>
internal sealed record WellKnownLimits(uint EnvelopeBytes, uint Subscriptions);

/// <summary>Camel-case names, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WellKnown))]
internal sealed partial class WellKnownJson : JsonSerializerContext;
