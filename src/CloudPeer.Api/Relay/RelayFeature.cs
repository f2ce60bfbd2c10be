using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Relay;

/// <summary>Store and forward: the relay over its store, and the service in front of it.</summary>
internal static class RelayFeature
{
    /// <summary>Adds the relay over an open store, which stays the caller's.</summary>
    public static IServiceCollection AddRelay(this IServiceCollection services, IRelayStore store) => services
        .AddSingleton(store)
        .AddSingleton<StreamCounter>()
        .AddSingleton<StreamEnding>()
        .AddHostedService(provider => provider.GetRequiredService<StreamEnding>())
        .AddSingleton<LimitCounter>(provider => (tenant, _) =>
            new(new LimitUse(QuotaResource.Devices, string.Empty, tenant.Limits.Devices, provider.GetRequiredService<StreamCounter>().Connected(tenant))))
        .AddSingleton<UsageAudit>()
        .AddHostedService<UsageCheck>()
        .AddSingleton<RelayFaults>()
        .AddSingleton(provider => new DocumentRelay(
            provider.GetRequiredService<SigningKey>(),
            store,
            provider.GetRequiredService<ITenants>(),
            provider.GetRequiredService<TimeProvider>(),
            onFault: provider.GetRequiredService<RelayFaults>().Take,
            charge: provider.GetRequiredService<CallLimiter>().TryCount,
            metrics: provider.GetRequiredService<RelayMetrics>()));

    public static void MapRelay(this IEndpointRouteBuilder app) => app.MapGrpcService<SyncService>();
}
