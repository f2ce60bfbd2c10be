using CloudPeer.Sync.Sessions;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Sessions;

/// <summary>Proves devices to the server and the server to devices (docs/protocol/session.md).</summary>
internal static class SessionFeature
{
    /// <summary>Adds the session service; the server's <see cref="SigningKey"/> and a clock must be there.</summary>
    public static IServiceCollection AddSessions(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
            new SessionAuthority(provider.GetRequiredService<SigningKey>(), SystemEntropy.Instance, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SessionInterceptor>();
        return services;
    }

    /// <summary>Maps the service.</summary>
    public static void MapSessions(this IEndpointRouteBuilder app) => app.MapGrpcService<SessionService>();
}
