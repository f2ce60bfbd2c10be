using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Asks the store about envelopes that a bundle names and that lie too far back to be remembered. Done before the commit, so that a long
/// search holds up nobody else; what the log grows by meanwhile is remembered.
/// </summary>
internal static class BundleLookup
{
    /// <summary>Finds deps, for all bundles of a push at once. The log only grows, so what was found stays found.</summary>
    public static async Task FindDepsAsync(
        IRelayStore store, IReadOnlyList<PendingBundle> bundles, CachedDocument document, CancellationToken cancellationToken)
    {
        var envelopes = bundles.SelectMany(bundle => bundle.Envelopes).ToList();
        var deps = envelopes.SelectMany(pending => pending.Header.Deps).ToHashSet();
        if (deps.Count == 0) return;
        deps.ExceptWith(envelopes.Select(pending => pending.Envelope.Id));
        deps.RemoveWhere(document.Policy.Contains);
        var known = deps.Where(id => document.Recent.TryFind(id, out _)).ToHashSet();
        deps.ExceptWith(known);
        if (deps.Count > 0)
        {
            var found = await store.FindIdsAsync(document.State.Document, deps, cancellationToken).ConfigureAwait(false);
            known.UnionWith(found.Select(place => place.Id));
        }

        foreach (var bundle in bundles) bundle.KnownDeps.UnionWith(known);
    }

    /// <summary>Finds what was pushed before: an envelope whose number its author's chain has passed is there, or another one is.</summary>
    public static async Task FindRepeatedAsync(
        IRelayStore store, PendingBundle bundle, DocumentState state, Func<EnvelopeId, ulong?> remembered, CancellationToken cancellationToken)
    {
        foreach (var pending in bundle.Envelopes)
        {
            if (pending.WasLookedUp || !state.Tips.TryGetValue(pending.Header.Author, out var tip) || pending.Header.Seq > tip.Seq) continue;
            if (pending.Envelope.Id == tip.Id || remembered(pending.Envelope.Id) is not null) continue;
            var place = await store.WalkBackAsync(state.Document, tip.Index, tip.Seq - pending.Header.Seq, cancellationToken).ConfigureAwait(false);
            pending.WasLookedUp = true;
            if (place?.Id == pending.Envelope.Id) pending.StoredIndex = place.Index;
        }
    }
}
