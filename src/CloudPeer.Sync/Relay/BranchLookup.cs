using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Asks the store about frozen authors of whom an owner named the surviving branch (statements.md §4.11): whether the chain here is that branch, and if
/// not, where what is pushed of it goes. Done within the commit, since it depends on the tips.
/// </summary>
internal static class BranchLookup
{
    /// <summary>Finds out what the judge needs to know of each envelope of such an author.</summary>
    public static async Task FindAsync(
        IRelayStore store, PendingBundle bundle, WorkingDocument document, DocumentState state, CancellationToken cancellationToken)
    {
        foreach (var envelopes in bundle.Envelopes.GroupBy(pending => pending.Header.Author))
        {
            if (document.Policy.View.Survivor(envelopes.Key) is not { } end || !state.Tips.TryGetValue(envelopes.Key, out var tip)) continue;
            await FindRepeatedAsync(store, state.Document, [.. envelopes.Where(pending => pending.Header.Seq <= tip.Seq)], cancellationToken).ConfigureAwait(false);
            if (await IsOnChainAsync(store, state.Document, tip, end, cancellationToken).ConfigureAwait(false)) document.Surviving.Add(envelopes.Key);
            if (document.Surviving.Contains(envelopes.Key)) continue;
            var frozen = document.Policy.View.Frozen(envelopes.Key);
            foreach (var pending in envelopes.Where(pending => pending.Header.Seq >= frozen && pending.Header.Seq <= Math.Min(tip.Seq, end.Seq)))
                await FindParentAsync(store, state.Document, tip, pending, document.Policy, cancellationToken).ConfigureAwait(false);
        }
    }

    // On another branch than that of the tip, walking back does not find it.
    private static async Task FindRepeatedAsync(IRelayStore store, DocId document, IReadOnlyList<PendingEnvelope> passed, CancellationToken cancellationToken)
    {
        if (passed.Count == 0) return;
        var places = await store.FindIdsAsync(document, passed.Select(pending => pending.Envelope.Id).ToHashSet(), cancellationToken).ConfigureAwait(false);
        foreach (var pending in passed) pending.StoredIndex = places.FirstOrDefault(place => place.Id == pending.Envelope.Id)?.Index ?? pending.StoredIndex;
    }

    private static async Task<bool> IsOnChainAsync(IRelayStore store, DocId document, AuthorTip tip, Cut end, CancellationToken cancellationToken)
    {
        if (tip.Seq <= end.Seq) return tip.Id == end.Envelope;
        var place = await store.WalkBackAsync(document, tip.Index, tip.Seq - end.Seq, cancellationToken).ConfigureAwait(false);
        return place?.Id == end.Envelope;
    }

    private static async Task FindParentAsync(
        IRelayStore store, DocId document, AuthorTip tip, PendingEnvelope pending, DocumentPolicy policy, CancellationToken cancellationToken)
    {
        var header = pending.Header;
        if (pending.StoredIndex is not null) return;
        pending.IsBesideChain = header.Seq == 1;
        if (header.Seq == 1) return;
        var place = await store.WalkBackAsync(document, tip.Index, tip.Seq - (header.Seq - 1), cancellationToken).ConfigureAwait(false);
        if (place is null || place.Id != header.Prev) return;
        var slice = await store.ReadAsync(document, place.Index, 1, int.MaxValue, cancellationToken).ConfigureAwait(false);
        if (slice?.Entries is not [{ } entry] || !Envelope.TryDecode(entry.Bytes, out var parent, out _)) return;
        pending.IsBesideChain = true;
        pending.Parent = new(parent.Header.Seq, parent.Id, place.Index, policy.Contains(parent.Id), parent.Header.Auth);
    }
}
