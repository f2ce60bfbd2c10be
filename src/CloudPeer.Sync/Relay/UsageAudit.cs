using CloudPeer.Sync.Sessions;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>A counter that is not what the tables say.</summary>
/// <param name="Tenant">Whose room it is about.</param>
/// <param name="Document">The document, if the counter is a document's; null if it is the tenant's own.</param>
/// <param name="StoredBytes">What the counter says.</param>
/// <param name="CountedBytes">What the tables say; equal if the difference is in a number or a share.</param>
/// <param name="IsRepaired">True if the counter is right again.</param>
public sealed record UsageDifference(AccountId Tenant, DocId? Document, ulong StoredBytes, ulong CountedBytes, bool IsRepaired);

/// <summary>What a check of all counters came to.</summary>
/// <param name="Documents">Documents that were counted.</param>
/// <param name="Tenants">Tenants that were counted.</param>
/// <param name="Differences">Where a counter was wrong.</param>
public sealed record UsageReport(int Documents, int Tenants, IReadOnlyList<UsageDifference> Differences);

/// <summary>
/// Compares what is counted with what is stored (sync.md §6.3), one document and one tenant at a time, each as it is at one moment: nobody waits for it. A
/// repair locks what it corrects, and nothing else.
/// </summary>
public sealed class UsageAudit(IRelayStore store, TimeProvider time)
{
    private const int PageRows = 256;

    /// <summary>Counts everything.</summary>
    /// <param name="repair">True to correct what is wrong.</param>
    /// <param name="cancellationToken">Stops between two of them.</param>
    /// <exception cref="Tlfs.Core.TlfsException">The store cannot be used now.</exception>
    public async Task<UsageReport> RunAsync(bool repair, CancellationToken cancellationToken)
    {
        var differences = new List<UsageDifference>();
        var documents = await EachAsync<DocId>(
            (after, token) => store.ReadDocumentsAsync(after, PageRows, token), (id, token) => CheckAsync(id, repair, token), differences, cancellationToken).ConfigureAwait(false);
        var tenants = await EachAsync<AccountId>(
            (after, token) => store.ReadTenantsAsync(after, PageRows, token), (id, token) => CheckAsync(id, repair, token), differences, cancellationToken).ConfigureAwait(false);
        return new(documents, tenants, differences);
    }

    private static async Task<int> EachAsync<T>(
        Func<T?, CancellationToken, Task<IReadOnlyList<T>>> read, Func<T, CancellationToken, Task<UsageDifference?>> check, List<UsageDifference> differences,
        CancellationToken cancellationToken)
        where T : struct
    {
        var count = 0;
        T? after = null;
        while (await read(after, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var id in page)
                if (await check(id, cancellationToken).ConfigureAwait(false) is { } difference) differences.Add(difference);
            count += page.Count;
            after = page[^1];
        }

        return count;
    }

    private async Task<UsageDifference?> CheckAsync(DocId document, bool repair, CancellationToken cancellationToken)
    {
        if (await store.CountDocumentAsync(document, cancellationToken).ConfigureAwait(false) is not { IsExact: false } count) return null;
        var isRepaired = repair && await RepairAsync(document, cancellationToken).ConfigureAwait(false);
        return new(count.State.Host, document, count.State.StoredBytes, count.Bytes, isRepaired);
    }

    // Counters only: a log that lacks envelopes, or has too many, is beyond repair here.
    private async Task<bool> RepairAsync(DocId document, CancellationToken cancellationToken)
    {
        var transaction = await store.BeginAsync([document], [], cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            // Only what is locked: a document that was deleted meanwhile may have been begun anew.
            if (!transaction.Documents.ContainsKey(document) || await store.CountDocumentAsync(document, cancellationToken).ConfigureAwait(false) is not { } count) return true;
            var corrected = count with { State = count.Corrected };
            return corrected.IsExact
                && await transaction.CommitAsync(GroupCommit.Correction([corrected.State], [], time.Micros()), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<UsageDifference?> CheckAsync(AccountId tenant, bool repair, CancellationToken cancellationToken)
    {
        if (await store.CountTenantAsync(tenant, cancellationToken).ConfigureAwait(false) is not { IsExact: false } count) return null;
        var isRepaired = repair && await RepairAsync(tenant, cancellationToken).ConfigureAwait(false);
        return new(tenant, null, count.Stored.StoredBytes, count.Bytes, isRepaired);
    }

    private async Task<bool> RepairAsync(AccountId tenant, CancellationToken cancellationToken)
    {
        var transaction = await store.BeginAsync([], [tenant], cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var count = await store.CountTenantAsync(tenant, cancellationToken).ConfigureAwait(false);
            var usage = count.Stored with { StoredBytes = count.Bytes, Documents = count.Documents };
            var shares = count.Shares.Where(share => usage.Counted.HasFlag(share.Key.Kind)).ToDictionary(share => share.Key, share => share.Value);
            return await transaction.CommitAsync(
                GroupCommit.Correction([], [new(tenant, usage, usage.Counted, shares)], time.Micros()), CancellationToken.None).ConfigureAwait(false);
        }
    }
}
