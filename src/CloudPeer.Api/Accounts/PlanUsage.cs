using System.Collections.Immutable;
using CloudPeer.Api.Inbox;
using CloudPeer.Api.Relay;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;

namespace CloudPeer.Api.Accounts;

/// <summary>A limit of a plan and what is used of it.</summary>
/// <param name="Resource">Which.</param>
/// <param name="App">The app, of a budget for one; else empty.</param>
/// <param name="Limit">What is allowed; 0 for no limit.</param>
/// <param name="Used">What is used.</param>
internal sealed record LimitUse(QuotaResource Resource, string App, ulong Limit, ulong Used);

/// <summary>What a tenant uses of everything that its plan may limit (docs/protocol/sync.md §6.2).</summary>
internal sealed class PlanUsage(IRelayStore store, InboxStore inbox, StreamCounter streams, TimeProvider clock)
{
    /// <summary>All limits, storage first, then those of the account's app budgets.</summary>
    public async Task<IReadOnlyList<LimitUse>> FindAsync(TenantInfo tenant, CancellationToken cancellationToken)
    {
        var limits = tenant.Limits;
        var usage = (await store.FindUsageAsync(tenant.Account, cancellationToken)).At(clock.Micros());

        var author = await LargestAuthorAsync(tenant, usage, cancellationToken);
        var apps = await AppsAsync(tenant, usage, cancellationToken);
        return
        [
            Of(QuotaResource.Storage, limits.StorageBytes, usage.StoredBytes),
            Of(QuotaResource.Documents, limits.Documents, usage.Documents),
            Of(QuotaResource.EnvelopesPerDay, limits.EnvelopesPerDay, usage.EnvelopesToday),
            Of(QuotaResource.Devices, limits.Devices, streams.Connected(tenant)),
            Of(QuotaResource.Inbox, (ulong)InboxLimits.Of(limits), (ulong)await inbox.CountAsync(tenant.Account, cancellationToken)),
            Of(QuotaResource.AuthorStorage, limits.AuthorBytes, author),
            .. limits.AppBytes.OrderBy(budget => budget.Key, StringComparer.Ordinal)
                .Select(budget => new LimitUse(QuotaResource.AppStorage, budget.Key, budget.Value, apps.GetValueOrDefault(UsageShare.Of(budget.Key)))),
        ];
    }

    // Nobody is near the limit while authors are not counted.
    private async Task<ulong> LargestAuthorAsync(TenantInfo tenant, TenantUsage usage, CancellationToken cancellationToken)
    {
        if (!usage.Counted.HasFlag(ShareKinds.Authors)) return 0;
        var largest = await store.ReadSharesAsync(tenant.Account, ShareKinds.Authors, tenant.Devices.Count + 1, cancellationToken);
        return largest.Where(share => !tenant.Devices.Contains(share.Key.Author)).Select(share => share.Value).DefaultIfEmpty().Max();
    }

    private async Task<IReadOnlyDictionary<UsageShare, ulong>> AppsAsync(TenantInfo tenant, TenantUsage usage, CancellationToken cancellationToken)
    {
        if (tenant.Limits.AppBytes.IsEmpty) return ImmutableDictionary<UsageShare, ulong>.Empty;
        return usage.Counted.HasFlag(ShareKinds.Apps)
            ? await store.ReadSharesAsync(tenant.Account, ShareKinds.Apps, int.MaxValue, cancellationToken)
            : (await store.CountTenantAsync(tenant.Account, cancellationToken)).Shares;
    }

    private static LimitUse Of(QuotaResource resource, ulong limit, ulong used) => new(resource, string.Empty, limit, used);
}
