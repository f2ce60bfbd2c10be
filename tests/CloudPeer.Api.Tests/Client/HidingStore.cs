using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Tests.Client;

/// <summary>
/// A server's store that leaves envelopes out of every log, and numbers the others as if they had never been there, or shows others than it has: its heads
/// agree with what it shows.
/// </summary>
internal sealed class HidingStore(IRelayStore inner, IReadOnlySet<EnvelopeId> hidden, Func<DocId, LogEntry, LogEntry>? show = null) : IRelayStore
{
    /// <summary>Documents of which nothing can be stored now.</summary>
    public Func<DocId, bool> Fails { get; init; } = _ => false;

    public async Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken) =>
        await inner.FindAsync(document, cancellationToken) is { } state ? await WithoutAsync(state, cancellationToken) : null;

    public async Task<LogSlice?> ReadAsync(DocId document, ulong from, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        if (await inner.ReadAsync(document, 0, int.MaxValue, int.MaxValue, cancellationToken) is not { } whole) return null;
        var shown = whole.Entries.Where(entry => !hidden.Contains(entry.Id)).Skip((int)from).Take(maxEntries)
            .Select(entry => show is null ? entry : show(document, entry));
        return new(await WithoutAsync(whole.State, cancellationToken), [.. shown]);
    }

    public Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken) =>
        documents.Any(Fails) ? throw new TlfsException(Reason.Unavailable, "the disk is away") : inner.BeginAsync(documents, tenants, cancellationToken);

    public Task<TenantUsage> FindUsageAsync(AccountId tenant, CancellationToken cancellationToken) => inner.FindUsageAsync(tenant, cancellationToken);

    public Task<IReadOnlyDictionary<PeerId, ulong>> ReadAuthorSharesAsync(AccountId tenant, int max, CancellationToken cancellationToken) =>
        inner.ReadAuthorSharesAsync(tenant, max, cancellationToken);

    public Task<IReadOnlyDictionary<string, ulong>> ReadAppBytesAsync(
        AccountId tenant, IReadOnlyCollection<string> apps, bool counted, CancellationToken cancellationToken) =>
        inner.ReadAppBytesAsync(tenant, apps, counted, cancellationToken);

    public Task<IReadOnlyList<HostedDocument>> ReadHostedAsync(AccountId tenant, int max, CancellationToken cancellationToken) =>
        inner.ReadHostedAsync(tenant, max, cancellationToken);

    public Task<bool> PurgeAsync(int maxEntries, CancellationToken cancellationToken) => inner.PurgeAsync(maxEntries, cancellationToken);

    public Task<IReadOnlyList<DocId>> ReadDocumentsAsync(DocId? after, int max, CancellationToken cancellationToken) =>
        inner.ReadDocumentsAsync(after, max, cancellationToken);

    public Task<IReadOnlyList<AccountId>> ReadTenantsAsync(AccountId? after, int max, CancellationToken cancellationToken) =>
        inner.ReadTenantsAsync(after, max, cancellationToken);

    public Task<DocumentCount?> CountDocumentAsync(DocId document, CancellationToken cancellationToken) => inner.CountDocumentAsync(document, cancellationToken);

    public Task<TenantCount> CountTenantAsync(AccountId tenant, CancellationToken cancellationToken) => inner.CountTenantAsync(tenant, cancellationToken);

    public Task<IReadOnlyList<PlacedEntry>> ReadStatementsAsync(DocId document, uint generation, ulong from, int max, CancellationToken cancellationToken) =>
        inner.ReadStatementsAsync(document, generation, from, max, cancellationToken);

    public Task<IReadOnlyList<LogPlace>> ReadIdsAsync(DocId document, ulong from, int max, CancellationToken cancellationToken) =>
        inner.ReadIdsAsync(document, from, max, cancellationToken);

    public Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocId document, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken) =>
        inner.FindIdsAsync(document, ids, cancellationToken);

    public Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken) =>
        inner.WalkBackAsync(document, index, steps, cancellationToken);

    public Task<StoredReceipt?> FindReceiptAsync(DocId document, ulong index, CancellationToken cancellationToken) =>
        inner.FindReceiptAsync(document, index, cancellationToken);

    public Task<IReadOnlyList<StoredGeneration>> ReadGenerationsAsync(DocId document, CancellationToken cancellationToken) =>
        inner.ReadGenerationsAsync(document, cancellationToken);

    public Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken) =>
        inner.BeginGenerationAsync(micros, cancellationToken);

    public Task<IReadOnlyList<Delivered>> ReadDeliveredAsync(DocId document, CancellationToken cancellationToken) =>
        inner.ReadDeliveredAsync(document, cancellationToken);

    public Task UpdateDeliveredAsync(
        IReadOnlyList<DocId> documents, Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change, CancellationToken cancellationToken) =>
        inner.UpdateDeliveredAsync(documents, change, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<DocumentState> WithoutAsync(DocumentState state, CancellationToken cancellationToken)
    {
        var places = await inner.ReadIdsAsync(state.Document, 0, int.MaxValue, cancellationToken);
        return state with { Log = places.Where(place => !hidden.Contains(place.Id)).Aggregate(CompactRange.Empty, (range, place) => range.Append(place.Id)) };
    }
}
