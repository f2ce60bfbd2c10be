using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Asks the store about envelopes that a push names and that lie too far back to be remembered. Done before the commit, so that a long search
/// holds up nobody else; what the log grows by meanwhile is remembered. Only for envelopes that their authors signed. What it costs is told in steps:
/// one for each entry of the log that may have been looked at.
/// </summary>
internal static class BundleLookup
{
    /// <summary>Finds deps, for all bundles of a push at once. The log only grows, so what was found stays found.</summary>
    /// <param name="store">The log.</param>
    /// <param name="bundles">The push.</param>
    /// <param name="document">Its document.</param>
    /// <param name="earlier">Completes when pushes are answered that may hold them; waited for before the log is searched.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The steps.</returns>
    public static async Task<ulong> FindDepsAsync(
        IRelayStore store, IReadOnlyList<PendingBundle> bundles, CachedDocument document, Task earlier, CancellationToken cancellationToken)
    {
        HashSet<EnvelopeId>? deps = null;
        foreach (var bundle in bundles)
        {
            foreach (var pending in bundle.Envelopes)
            {
                if (pending is { IsSigned: true, Header.Deps.Count: > 0 }) (deps ??= []).UnionWith(pending.Header.Deps);
            }
        }

        if (deps is null) return 0;
        deps.ExceptWith(bundles.SelectMany(bundle => bundle.Envelopes).Select(pending => pending.Envelope.Id));
        deps.RemoveWhere(document.Policy.Contains);
        var known = new HashSet<EnvelopeId>();
        foreach (var bundle in bundles) bundle.KnownDeps = known;
        TakeRemembered();
        if (deps.Count > 0 && !earlier.IsCompleted)
        {
            await earlier.WaitAsync(cancellationToken).ConfigureAwait(false);
            TakeRemembered();
        }

        if (deps.Count == 0) return 0;
        var found = await store.FindIdsAsync(document.State.Document, deps, cancellationToken).ConfigureAwait(false);
        known.UnionWith(found.Select(place => place.Id));
        return document.State.Size;

        void TakeRemembered()
        {
            known.UnionWith(deps.Where(id => document.Recent.TryFind(id, out _)));
            deps.ExceptWith(known);
        }
    }

    /// <summary>Finds what was pushed before: an envelope whose number its author's chain has passed is there, or another one is.</summary>
    /// <param name="store">The log.</param>
    /// <param name="envelopes">What is pushed.</param>
    /// <param name="state">The document.</param>
    /// <param name="remembered">The place of an envelope that is remembered.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The steps.</returns>
    public static async Task<ulong> FindRepeatedAsync(
        IRelayStore store, IEnumerable<PendingEnvelope> envelopes, DocumentState state, Func<EnvelopeId, ulong?> remembered, CancellationToken cancellationToken)
    {
        List<PendingEnvelope>? passed = null;
        foreach (var pending in envelopes)
        {
            if (pending.WasLookedUp || !pending.IsSigned || !state.Tips.TryGetValue(pending.Header.Author, out var tip) || pending.Header.Seq > tip.Seq) continue;
            if (pending.Envelope.Id != tip.Id && remembered(pending.Envelope.Id) is null) (passed ??= []).Add(pending);
        }

        if (passed is null) return 0;
        var steps = 0UL;
        foreach (var chain in passed.GroupBy(pending => pending.Header.Author))
        {
            var walk = new ChainWalk(store, state.Document, state.Tips[chain.Key]);
            foreach (var pending in chain.OrderByDescending(pending => pending.Header.Seq))
            {
                var place = await walk.ToAsync(pending.Header.Seq, cancellationToken).ConfigureAwait(false);
                pending.WasLookedUp = true;
                if (place?.Id == pending.Envelope.Id) pending.StoredIndex = place.Index;
            }

            steps += walk.Steps;
        }

        return steps;
    }
}
