using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Relay;

/// <summary>Store and forward: the relay over its store, and the service in front of it.</summary>
internal static partial class RelayFeature
{
    /// <summary>Adds the relay over an open store, which stays the caller's.</summary>
    public static IServiceCollection AddRelay(this IServiceCollection services, IRelayStore store) => services
        .AddSingleton(store)
        .AddSingleton<StreamCounter>()
        .AddSingleton<LimitCounter>(provider => (tenant, _) =>
            new(new LimitUse(QuotaResource.Devices, string.Empty, tenant.Limits.Devices, provider.GetRequiredService<StreamCounter>().Connected(tenant))))
        .AddSingleton<UsageAudit>()
        .AddHostedService<UsageCheck>()
        .AddSingleton(provider =>
        {
            var log = provider.GetRequiredService<ILogger<DocumentRelay>>();
            return new DocumentRelay(
                provider.GetRequiredService<SigningKey>(),
                store,
                provider.GetRequiredService<ITenants>(),
                provider.GetRequiredService<TimeProvider>(),
                onFault: fault => Log(log, fault),
                charge: provider.GetRequiredService<CallLimiter>().Count);
        });

    public static void MapRelay(this IEndpointRouteBuilder app) => app.MapGrpcService<SyncService>();

    private static void Log(ILogger log, Exception fault)
    {
        if (fault.InnerException is DamagedBlobException damaged) LogDamagedBlob(log, damaged.Message);
        else if (fault is TlfsException { IsTransient: true }) LogUnavailable(log, fault);
        else LogUnexpected(log, fault);
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "The relay's store cannot be used now")]
    private static partial void LogUnavailable(ILogger log, Exception fault);

    [LoggerMessage(EventId = 1206, Level = LogLevel.Error, Message = "{Fault} Restore the file from a backup (docs/operations/restore.md)")]
    private static partial void LogDamagedBlob(ILogger log, string fault);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Error, Message = "The relay failed unexpectedly")]
    private static partial void LogUnexpected(ILogger log, Exception fault);
}
