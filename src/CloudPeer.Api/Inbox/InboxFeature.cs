using CloudPeer.Api.Accounts;
using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Inbox;

/// <summary>Sealed messages to accounts with which no document is shared yet.</summary>
internal static class InboxFeature
{
    public static IServiceCollection AddInbox(this IServiceCollection services) => services
        .AddSingleton(new HostTables("inbox", "Inbox/Scripts"))
        .AddSingleton<InboxStore>()
        .AddSingleton<LimitCounter>(provider => async (tenant, cancellationToken) => new(
            QuotaResource.Inbox,
            string.Empty,
            (ulong)InboxLimits.Of(tenant.Limits),
            (ulong)await provider.GetRequiredService<InboxStore>().CountAsync(tenant.Account, cancellationToken)))
        .AddSingleton<InboxTokens>()
        .AddSingleton<StrangerLimiter>()
        .AddHostedService<InboxCleanup>();

    public static void MapInbox(this IEndpointRouteBuilder app) => app.MapGrpcService<InboxService>();
}
