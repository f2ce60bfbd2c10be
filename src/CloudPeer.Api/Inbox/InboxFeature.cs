using CloudPeer.Api.Data;

namespace CloudPeer.Api.Inbox;

/// <summary>Sealed messages to accounts with which no document is shared yet.</summary>
internal static class InboxFeature
{
    public static IServiceCollection AddInbox(this IServiceCollection services) => services
        .AddSingleton(new HostTables("inbox", "Inbox/Scripts"))
        .AddSingleton<InboxStore>()
        .AddSingleton<InboxTokens>()
        .AddSingleton<StrangerLimiter>()
        .AddHostedService<InboxCleanup>();

    public static void MapInbox(this IEndpointRouteBuilder app) => app.MapGrpcService<InboxService>();
}
