using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Asks the store about envelopes that a push names and that lie too far back to be remembered. Done before the commit, so that a long search
/// holds up nobody else; what the log grows by meanwhile is remembered. Only for envelopes that their authors signed.
/// </summary>
internal static class BundleLookup
{
    /// <summary>The deps of signed envelopes of a push that neither it nor what is remembered of the document holds.</summary>
    public static HashSet<EnvelopeId> UnknownDeps(IReadOnlyList<PendingBundle> bundles, CachedDocument document)
    {
        var deps = Deps(bundles, document);
        deps.RemoveWhere(id => document.Recent.TryFind(id, out _));
        return deps;
    }

    /// <summary>Finds deps, for all bundles of a push at once. The log only grows, so what was found stays found.</summary>
    public static async Task FindDepsAsync(LogSearch search, IReadOnlyList<PendingBundle> bundles, CachedDocument document, CancellationToken cancellationToken)
    {
        var deps = Deps(bundles, document);
        if (deps.Count == 0) return;
        var known = deps.Where(id => document.Recent.TryFind(id, out _)).ToHashSet();
        deps.ExceptWith(known);
        foreach (var bundle in bundles) bundle.KnownDeps = known;
        if (deps.Count == 0) return;
        var found = await search.FindIdsAsync(document.State, deps, cancellationToken).ConfigureAwait(false);
        known.UnionWith(found.Select(place => place.Id));
    }

    /// <summary>Finds what was pushed before: an envelope whose number its author's chain has passed is there, or another one is.</summary>
    /// <param name="search">The log.</param>
    /// <param name="envelopes">What is pushed.</param>
    /// <param name="state">The document.</param>
    /// <param name="remembered">The place of an envelope that is remembered.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task FindRepeatedAsync(
        LogSearch search, IEnumerable<PendingEnvelope> envelopes, DocumentState state, Func<EnvelopeId, ulong?> remembered, CancellationToken cancellationToken)
    {
        List<PendingEnvelope>? passed = null;
        foreach (var pending in envelopes)
        {
            if (pending.WasLookedUp || !pending.IsSigned || !state.Tips.TryGetValue(pending.Header.Author, out var tip) || pending.Header.Seq > tip.Seq) continue;
            if (pending.Envelope.Id != tip.Id && remembered(pending.Envelope.Id) is null) (passed ??= []).Add(pending);
        }

        if (passed is null) return;
        foreach (var chain in passed.GroupBy(pending => pending.Header.Author))
        {
            var walk = new ChainWalk(search, state.Document, state.Tips[chain.Key]);
            foreach (var pending in chain.OrderByDescending(pending => pending.Header.Seq))
            {
                var place = await walk.ToAsync(pending.Header.Seq, cancellationToken).ConfigureAwait(false);
                pending.WasLookedUp = true;
                if (place?.Id == pending.Envelope.Id) pending.StoredIndex = place.Index;
            }
        }
    }

    private static HashSet<EnvelopeId> Deps(IReadOnlyList<PendingBundle> bundles, CachedDocument document)
    {
        var deps = new HashSet<EnvelopeId>();
        foreach (var bundle in bundles)
        {
            foreach (var pending in bundle.Envelopes)
            {
                if (pending is { IsSigned: true, Header.Deps.Count: > 0 }) deps.UnionWith(pending.Header.Deps);
            }
        }

        if (deps.Count == 0) return deps;
        deps.ExceptWith(bundles.SelectMany(bundle => bundle.Envelopes).Select(pending => pending.Envelope.Id));
        deps.RemoveWhere(document.Policy.Contains);
        return deps;
    }
}
