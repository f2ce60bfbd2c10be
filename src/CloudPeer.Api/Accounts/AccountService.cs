using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Accounts;

/// <summary>The <c>Account</c> service (docs/protocol/sync.md §1).</summary>
internal sealed class AccountService(AccountDirectory accounts, IRelayStore store) : V1.Account.AccountBase
{
    private const int AppIdLetters = 64;

    public override async Task<V1.Entitlement> Create(V1.CreateAccountRequest request, ServerCallContext context)
    {
        if (!AccountCard.TryDecode(request.Card.Memory, out var card, out var error)) throw new TlfsException(error.Reason, error.Detail);
        if (card.Device != context.Peer()) throw new TlfsException(Reason.NotAuthorised, "only the card's device may register its account");
        if (request.AppId.Length > AppIdLetters || !request.AppId.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.'))
            throw new TlfsException(Reason.BadArgument, $"an app id has at most {AppIdLetters} letters, digits, and the signs _ - .");
        var tenant = await accounts.RegisterAsync(card, request.AppId.Length > 0 ? request.AppId : null, context.CancellationToken);
        return await EntitlementAsync(tenant, context.CancellationToken);
    }

    public override async Task<V1.Entitlement> GetEntitlement(V1.GetEntitlementRequest request, ServerCallContext context)
    {
        var tenant = await accounts.FindByDeviceAsync(context.Peer(), context.CancellationToken)
            ?? throw new TlfsException(Reason.NotFound, "this device has no account here");
        return await EntitlementAsync(tenant, context.CancellationToken);
    }

    private async Task<V1.Entitlement> EntitlementAsync(TenantInfo tenant, CancellationToken cancellationToken) => new()
    {
        Account = tenant.Account.ToWire(),
        Plan = Tenant.LocalPlan,
        QuotaBytes = tenant.QuotaBytes,
        UsedBytes = await store.FindUsedBytesAsync(tenant.Account, cancellationToken),
    };
}
