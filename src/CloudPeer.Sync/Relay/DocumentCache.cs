using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>The documents used last, bounded by what they weigh. What is cached may be old: it is compared with the store's state and brought up to it.</summary>
internal sealed class DocumentCache(IRelayStore store, ChangesElsewhere changes, RelayLimits limits)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DocId, LinkedListNode<CachedDocument>> _nodes = [];
    private readonly LinkedList<CachedDocument> _order = [];
    private readonly Dictionary<DocId, Refresh> _refreshing = [];
    private readonly Dictionary<DocId, Reading> _reading = [];
    private long _weight;

    /// <inheritdoc cref="ChangesElsewhere.Told" />
    public long Told => changes.Told;

    /// <summary>What is cached, however old; null if nothing is.</summary>
    public CachedDocument? Find(DocId document)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(document, out var node)) return null;
            _order.Remove(node);
            _order.AddFirst(node);
            return node.Value;
        }
    }

    /// <summary>
    /// What is cached, brought up to what other processes are known to have done; null if nothing is cached, or the document is gone. Those who ask
    /// together share one read.
    /// </summary>
    public async ValueTask<CachedDocument?> FindRefreshedAsync(DocId document, CancellationToken cancellationToken)
    {
        if (Find(document) is not { } cached) return null;
        return changes.Include(document, cached.AsOf) ? await RefreshAsync(document).WaitAsync(cancellationToken).ConfigureAwait(false) : cached;
    }

    /// <summary>The document as the store has it now; null if it has none.</summary>
    public async Task<CachedDocument?> LoadAsync(DocId document, CancellationToken cancellationToken)
    {
        var asOf = changes.Told;
        if (await store.FindAsync(document, cancellationToken).ConfigureAwait(false) is { } state)
            return await CurrentAsync(state, asOf, cancellationToken).ConfigureAwait(false);
        Forget(document);
        return null;
    }

    /// <summary>The document at a state that the store had, or at a later one.</summary>
    /// <param name="state">The state.</param>
    /// <param name="asOf">What <see cref="Told"/> was before it was read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<CachedDocument> CurrentAsync(DocumentState state, long asOf, CancellationToken cancellationToken)
    {
        var cached = Find(state.Document);
        if (cached is null || cached.State.IsOtherLogThan(state)) cached = await ReadOnceAsync(state, asOf).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (cached.State.Size < state.Size)
        {
            var next = await CatchUpAsync(cached, state, cancellationToken).ConfigureAwait(false);
            Put(next = next with { AsOf = asOf });
            return next;
        }

        if (cached.State.Size == state.Size && cached.AsOf < asOf) Put(cached = cached with { AsOf = asOf });
        return cached;
    }

    /// <summary>Keeps a document, unless a longer log of it is kept.</summary>
    public void Put(CachedDocument document)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(document.State.Document, out var node))
            {
                var kept = node.Value.State;
                if (kept.IsOtherLogThan(document.State) ? kept.Generation > document.State.Generation : kept.Size > document.State.Size) return;
                Remove(node);
            }

            _nodes.Add(document.State.Document, _order.AddFirst(document));
            _weight += document.Weight;
            while (_weight > limits.CachedItems && _order.Last is { } last && last != _order.First) Remove(last);
        }
    }

    /// <summary>Forgets a document whose state in the store is uncertain, or is found to be shorter.</summary>
    public void Forget(DocId document)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(document, out var node)) Remove(node);
        }
    }

    /// <summary>
    /// Forgets a document that was deleted here. Whoever has read it before and keeps it only now keeps something old: it is read again before it is used.
    /// </summary>
    public void ForgetDeleted(DocId document)
    {
        changes.Add(new([DocPrefix.Of(document)]));
        Forget(document);
    }

    private void Remove(LinkedListNode<CachedDocument> node)
    {
        _order.Remove(node);
        _nodes.Remove(node.Value.State.Document);
        _weight -= node.Value.Weight;
    }

    // A read that began after the last change that was told will do for whoever comes while it is under way.
    private Task<CachedDocument?> RefreshAsync(DocId document)
    {
        lock (_gate)
        {
            if (_refreshing.TryGetValue(document, out var under) && !changes.Include(document, under.AsOf)) return under.Read;
            if (_nodes.TryGetValue(document, out var node) && !changes.Include(document, node.Value.AsOf)) return Task.FromResult<CachedDocument?>(node.Value);
            var refresh = new Refresh(changes.Told, Task.Run(() => LoadAsync(document, CancellationToken.None)));
            _refreshing[document] = refresh;
            _ = EndAsync(document, refresh);
            return refresh.Read;
        }
    }

    private async Task EndAsync(DocId document, Refresh refresh)
    {
        await ((Task)refresh.Read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_refreshing.GetValueOrDefault(document) == refresh) _refreshing.Remove(document);
        }
    }

    // Those who ask for a document that is not cached share one read.
    private Task<CachedDocument> ReadOnceAsync(DocumentState state, long asOf)
    {
        lock (_gate)
        {
            if (_reading.TryGetValue(state.Document, out var under) && !under.State.IsOtherLogThan(state)) return under.Read;
            var reading = new Reading(state, Task.Run(() => ReadAsync(state, asOf)));
            _reading[state.Document] = reading;
            _ = EndAsync(reading);
            return reading.Read;
        }
    }

    private async Task EndAsync(Reading reading)
    {
        await ((Task)reading.Read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_reading.GetValueOrDefault(reading.State.Document) == reading) _reading.Remove(reading.State.Document);
        }
    }

    private async Task<CachedDocument> ReadAsync(DocumentState state, long asOf)
    {
        var policy = await AddStatementsAsync(DocumentPolicy.Empty(state.Document), state, 0, CancellationToken.None).ConfigureAwait(false);
        var recent = new RecentEntries(limits.RecentIds, limits.TailBytes);
        foreach (var tip in state.Tips.Values) recent.Add(tip.Id, tip.Index);
        var generations = state.Generation == 0 ? [] : await store.ReadGenerationsAsync(state.Document, CancellationToken.None).ConfigureAwait(false);
        var document = new CachedDocument(state, policy, recent)
        {
            AsOf = asOf,
            NotBefore = generations.FirstOrDefault(each => each.Number == state.Generation)?.Micros ?? 0,
        };
        Put(document);
        return document;
    }

    // Another process over the same store has appended.
    private async Task<CachedDocument> CatchUpAsync(CachedDocument cached, DocumentState state, CancellationToken cancellationToken)
    {
        var known = cached.State.Size;
        await RememberAsync(cached.Recent, state, known, cancellationToken).ConfigureAwait(false);
        var policy = state.Statements == cached.State.Statements
            ? cached.Policy
            : await AddStatementsAsync(cached.Policy, state, known, cancellationToken).ConfigureAwait(false);
        return new(state, policy, cached.Recent) { NotBefore = cached.NotBefore };
    }

    // What was appended meanwhile: whole entries if they are few, since whoever follows wants them; else the last ids.
    private async Task RememberAsync(RecentEntries recent, DocumentState state, ulong known, CancellationToken cancellationToken)
    {
        if (state.Size - known <= (ulong)limits.PageEnvelopes)
        {
            var slice = await store.ReadAsync(state.Document, known, limits.PageEnvelopes, limits.PageBytes, cancellationToken).ConfigureAwait(false);
            if (slice is null || slice.State.IsOtherLogThan(state)) throw Changed();
            if (known + (ulong)slice.Entries.Count >= state.Size)
            {
                for (var i = 0; known + (ulong)i < state.Size; i++) recent.Add(slice.Entries[i], known + (ulong)i);
                return;
            }
        }

        var from = state.Size - Math.Min(state.Size - known, (ulong)limits.RecentIds);
        foreach (var place in await store.ReadIdsAsync(state.Document, from, limits.RecentIds, cancellationToken).ConfigureAwait(false))
            recent.Add(place.Id, place.Index);
    }

    // The store may hold more by now than the state says.
    private async Task<DocumentPolicy> AddStatementsAsync(DocumentPolicy policy, DocumentState state, ulong from, CancellationToken cancellationToken)
    {
        var entries = new List<LogEntry>();
        for (var missing = state.Statements - policy.Count; missing > 0;)
        {
            var page = await store.ReadStatementsAsync(state.Document, state.Generation, from, Math.Min(missing, limits.PageEnvelopes), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0) throw Changed();
            entries.AddRange(page.Select(each => each.Entry));
            from = page[^1].Index + 1;
            missing -= page.Count;
        }

        return policy.WithStored(entries);
    }

    private static TlfsException Changed() => new(Reason.Unavailable, "The document was removed at this moment, or its log lacks statements; try again.");

    private sealed record Refresh(long AsOf, Task<CachedDocument?> Read);

    private sealed record Reading(DocumentState State, Task<CachedDocument> Read);
}
