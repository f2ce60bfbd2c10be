using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>What was found out of a frozen author of whom an owner named the surviving branch (statements.md §4.11).</summary>
/// <param name="Tip">The end of the author's chain when it was looked at.</param>
/// <param name="End">The end of the branch that survives, as it was named then.</param>
/// <param name="Survives">True if the chain begins with that branch.</param>
internal sealed record BranchFinding(EnvelopeId Tip, EnvelopeId End, bool Survives);

/// <summary>
/// Asks the store about such authors: whether the chain here is the branch that survives, and if not, where what is pushed of it goes. Long searches, so
/// they are done before the commit, for all bundles of a push at once; a bundle that was overtaken meanwhile is to be pushed again.
/// </summary>
internal static class BranchLookup
{
    /// <summary>Finds out what the judge needs to know of each envelope of such an author.</summary>
    public static async Task FindAsync(
        IRelayStore store, LogSearch search, IReadOnlyList<PendingBundle> bundles, CachedDocument document, CancellationToken cancellationToken)
    {
        var (state, view) = (document.State, document.Policy.View);
        if (!view.HasForks) return;
        foreach (var author in bundles.SelectMany(bundle => bundle.Envelopes).Where(pending => pending.IsSigned).GroupBy(pending => pending.Header.Author))
        {
            if (view.Survivor(author.Key) is not { } end || !state.Tips.TryGetValue(author.Key, out var tip)) continue;
            PendingEnvelope[] passed = [.. author.Where(pending => pending.Header.Seq <= tip.Seq).OrderByDescending(pending => pending.Header.Seq)];
            if (passed.Length > 0) await FindRepeatedAsync(search, state, passed, cancellationToken).ConfigureAwait(false);
            // Down to the branch that was named, and on from there to where what is pushed goes.
            var walk = new ChainWalk(search, state.Document, tip);
            var place = await walk.ToAsync(Math.Min(tip.Seq, end.Seq), cancellationToken).ConfigureAwait(false);
            var survives = place?.Id == end.Envelope;
            foreach (var bundle in bundles.Where(bundle => bundle.Envelopes.Any(pending => pending.Header.Author == author.Key)))
                bundle.Branches[author.Key] = new(tip.Id, end.Envelope, survives);
            foreach (var pending in survives ? [] : passed.Where(pending => pending.Header.Seq >= view.Frozen(author.Key) && pending.Header.Seq <= end.Seq))
                await FindParentAsync(store, walk, state.Document, pending, document.Policy, cancellationToken).ConfigureAwait(false);
        }
    }

    // On another branch than that of the tip, walking back does not find it.
    private static async Task FindRepeatedAsync(
        LogSearch search, DocumentState state, IReadOnlyList<PendingEnvelope> passed, CancellationToken cancellationToken)
    {
        var places = await search.FindIdsAsync(state, passed.Select(pending => pending.Envelope.Id).ToHashSet(), cancellationToken).ConfigureAwait(false);
        var indexes = places.ToDictionary(place => place.Id, place => place.Index);
        foreach (var pending in passed)
        {
            pending.WasLookedUp = true;
            if (indexes.TryGetValue(pending.Envelope.Id, out var index)) pending.StoredIndex = index;
        }
    }

    private static async Task FindParentAsync(
        IRelayStore store, ChainWalk walk, DocId document, PendingEnvelope pending, DocumentPolicy policy, CancellationToken cancellationToken)
    {
        var header = pending.Header;
        if (pending.StoredIndex is not null) return;
        pending.IsBesideChain = header.Seq == 1;
        if (header.Seq == 1) return;
        var place = await walk.ToAsync(header.Seq - 1, cancellationToken).ConfigureAwait(false);
        if (place is null || place.Id != header.Prev) return;
        var slice = await store.ReadAsync(document, place.Index, 1, int.MaxValue, cancellationToken).ConfigureAwait(false);
        if (slice?.Entries is not [{ } entry] || !Envelope.TryDecode(entry.Bytes, out var parent, out _)) return;
        pending.IsBesideChain = true;
        pending.Parent = new(parent.Header.Seq, parent.Id, place.Index, policy.Contains(parent.Id), parent.Header.Auth);
    }
}
