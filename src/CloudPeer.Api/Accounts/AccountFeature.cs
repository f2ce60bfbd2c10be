using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Accounts;

/// <summary>Accounts that rent storage here.</summary>
internal static class AccountFeature
{
    public static IServiceCollection AddAccounts(this IServiceCollection services) => services
        .AddSingleton(new HostTables("accounts", "Accounts/Scripts"))
        .AddSingleton<AccountDirectory>()
        .AddSingleton<PlanUsage>()
        .AddSingleton<ITenants>(provider => provider.GetRequiredService<AccountDirectory>());

    public static void MapAccounts(this IEndpointRouteBuilder app) => app.MapGrpcService<AccountService>();
}
