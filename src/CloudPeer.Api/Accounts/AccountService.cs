using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Accounts;

/// <summary>The <c>Account</c> service (docs/protocol/sync.md §1).</summary>
internal sealed class AccountService(AccountDirectory accounts, IRelayStore store, PlanUsage usage) : V1.Account.AccountBase
{
    public override async Task<V1.Entitlement> Create(V1.CreateAccountRequest request, ServerCallContext context)
    {
        if (!AccountCard.TryDecode(request.Card.Memory, out var card, out var error)) throw new TlfsException(error.Reason, error.Detail);
        if (card.Device != context.Peer()) throw new TlfsException(Reason.NotAuthorised, "only the card's device may register its account");
        AccountLimits.CheckAppId(request.AppId);
        var tenant = await accounts.RegisterAsync(card, request.AppId.Length > 0 ? request.AppId : null, context.CancellationToken);
        return await EntitlementAsync(tenant, context.CancellationToken);
    }

    public override async Task<V1.Entitlement> GetEntitlement(V1.GetEntitlementRequest request, ServerCallContext context)
    {
        return await EntitlementAsync(await OwnAsync(context), context.CancellationToken);
    }

    public override async Task GetUsage(V1.GetUsageRequest request, IServerStreamWriter<V1.DocumentUsage> responseStream, ServerCallContext context)
    {
        var tenant = await OwnAsync(context);
        foreach (var document in await store.ReadHostedAsync(tenant.Account, AccountLimits.UsageDocuments, context.CancellationToken))
        {
            await responseStream.WriteAsync(
                new() { Document = document.Document.ToWire(), StoredBytes = document.StoredBytes, Envelopes = document.Envelopes, AppId = document.App },
                context.CancellationToken);
        }
    }

    public override async Task<V1.Entitlement> SetAppBudget(V1.SetAppBudgetRequest request, ServerCallContext context)
    {
        var tenant = await OwnAsync(context);
        if (AccountLimits.CheckAppId(request.AppId).Length == 0 || request.LimitBytes > long.MaxValue)
            throw new TlfsException(Reason.BadArgument, "a budget is for one app, and smaller than 8 EiB");
        tenant = await accounts.SetBudgetAsync(tenant, request.AppId, (long)request.LimitBytes, context.CancellationToken);
        return await EntitlementAsync(tenant, context.CancellationToken);
    }

    private async Task<TenantInfo> OwnAsync(ServerCallContext context) =>
        await accounts.FindByDeviceAsync(context.Peer(), context.CancellationToken) ?? throw new TlfsException(Reason.NotFound, "this device has no account here");

    private async Task<V1.Entitlement> EntitlementAsync(TenantInfo tenant, CancellationToken cancellationToken)
    {
        var uses = await usage.FindAsync(tenant, cancellationToken);
        return new()
        {
            Account = tenant.Account.ToWire(),
            Plan = Tenant.LocalPlan,
            QuotaBytes = tenant.Limits.StorageBytes,
            UsedBytes = uses[0].Used,
            State = tenant.State.ToText(),
            Limits = { uses.Select(use => new V1.LimitUse { Resource = use.Resource.ToText(), AppId = use.App, Limit = use.Limit, Used = use.Used }) },
        };
    }
}
