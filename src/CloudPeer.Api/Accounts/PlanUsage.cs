using System.Collections.Immutable;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;

namespace CloudPeer.Api.Accounts;

/// <summary>A limit of a plan and what is used of it.</summary>
/// <param name="Resource">Which.</param>
/// <param name="App">The app, of a budget for one; else empty.</param>
/// <param name="Limit">What is allowed; 0 for no limit.</param>
/// <param name="Used">What is used.</param>
internal sealed record LimitUse(QuotaResource Resource, string App, ulong Limit, ulong Used);

/// <summary>Counts what a tenant uses of a limit that another part of the server keeps.</summary>
internal delegate ValueTask<LimitUse> LimitCounter(TenantInfo tenant, CancellationToken cancellationToken);

/// <summary>What a tenant uses of everything that its plan may limit (docs/protocol/sync.md §6.2).</summary>
internal sealed class PlanUsage(IRelayStore store, IEnumerable<LimitCounter> elsewhere, TimeProvider clock)
{
    /// <summary>All limits in the order of <see cref="QuotaResource"/>: storage first, the account's app budgets last.</summary>
    public async Task<IReadOnlyList<LimitUse>> FindAsync(TenantInfo tenant, CancellationToken cancellationToken)
    {
        var limits = tenant.Limits;
        var usage = (await store.FindUsageAsync(tenant.Account, cancellationToken)).At(clock.Micros());

        var author = await LargestAuthorAsync(tenant, usage, cancellationToken);
        var apps = await AppsAsync(tenant, usage, cancellationToken);
        List<LimitUse> uses =
        [
            Of(QuotaResource.Storage, limits.StorageBytes, usage.StoredBytes),
            Of(QuotaResource.Documents, limits.Documents, usage.Documents),
            Of(QuotaResource.EnvelopesPerDay, limits.EnvelopesPerDay, usage.EnvelopesToday),
            Of(QuotaResource.AuthorStorage, limits.AuthorBytes, author),
            .. limits.AppBytes.OrderBy(budget => budget.Key, StringComparer.Ordinal)
                .Select(budget => new LimitUse(QuotaResource.AppStorage, budget.Key, budget.Value, apps.GetValueOrDefault(budget.Key))),
        ];
        foreach (var count in elsewhere) uses.Add(await count(tenant, cancellationToken));
        return [.. uses.OrderBy(use => use.Resource)];
    }

    // Nobody is near the limit while authors are not counted.
    private async Task<ulong> LargestAuthorAsync(TenantInfo tenant, TenantUsage usage, CancellationToken cancellationToken)
    {
        if (!usage.Counted.HasFlag(ShareKinds.Authors)) return 0;
        var largest = await store.ReadAuthorSharesAsync(tenant.Account, tenant.Devices.Count + 1, cancellationToken);
        return largest.Where(share => !tenant.Devices.Contains(share.Key)).Select(share => share.Value).DefaultIfEmpty().Max();
    }

    // Those with a budget alone: whoever pushes chooses the names of the others.
    private async Task<IReadOnlyDictionary<string, ulong>> AppsAsync(TenantInfo tenant, TenantUsage usage, CancellationToken cancellationToken)
    {
        if (tenant.Limits.AppBytes.IsEmpty) return ImmutableDictionary<string, ulong>.Empty;
        return await store.ReadAppBytesAsync(tenant.Account, [.. tenant.Limits.AppBytes.Keys], usage.Counted.HasFlag(ShareKinds.Apps), cancellationToken);
    }

    private static LimitUse Of(QuotaResource resource, ulong limit, ulong used) => new(resource, string.Empty, limit, used);
}
