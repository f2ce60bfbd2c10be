using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>A document while a group commit adds to it. It is dropped if the commit fails.</summary>
internal sealed class WorkingDocument
{
    private readonly Dictionary<EnvelopeId, ulong> _added = [];
    private readonly List<LogEntry> _entries = [];
    private readonly RecentEntries _recent;

    /// <param name="document">The document's id.</param>
    /// <param name="cached">The document as the locked row of the store has it; null if there is none.</param>
    /// <param name="deleted">What is known of an earlier log of it that was deleted, if there is no document.</param>
    /// <param name="limits">How much is remembered of a new document.</param>
    public WorkingDocument(DocId document, CachedDocument? cached, DeletedDocument? deleted, RelayLimits limits)
    {
        MaxAuthors = limits.Authors;
        Deleted = deleted;
        State = cached?.State;
        NotBefore = cached?.NotBefore ?? deleted?.Micros ?? 0;
        Policy = cached?.Policy ?? DocumentPolicy.Empty(document);
        _recent = cached?.Recent ?? new(limits.RecentIds, limits.TailBytes);
    }

    /// <summary>The document so far; null while nothing of it is stored.</summary>
    public DocumentState? State { get; private set; }

    /// <summary>What is known of an earlier log that was deleted, for a document that is not stored.</summary>
    public DeletedDocument? Deleted { get; }

    /// <inheritdoc cref="CachedDocument.NotBefore" />
    public ulong NotBefore { get; }

    /// <summary>How many authors it may have.</summary>
    public int MaxAuthors { get; }

    /// <summary>Its statements so far.</summary>
    public DocumentPolicy Policy { get; private set; }

    /// <summary>True if the commit appends to it.</summary>
    public bool HasGrown => _added.Count > 0;

    /// <summary>The place of an envelope that is remembered or was added by this commit.</summary>
    public ulong? Find(EnvelopeId id)
    {
        if (_added.TryGetValue(id, out var added)) return added;
        return _recent.TryFind(id, out var known) ? known : null;
    }

    /// <summary>Frozen authors whose chain here begins with the branch that survives (statements.md §4.11), as far as that was asked.</summary>
    public HashSet<PeerId> Surviving { get; } = [];

    /// <summary>Takes over what an accepted bundle adds.</summary>
    public void Adopt(BundleJudge accepted)
    {
        if (accepted.Entries.Count == 0) return;
        (State, Policy) = accepted.After;
        foreach (var entry in accepted.Entries)
        {
            _added.Add(entry.Envelope.Id, entry.Index);
            _entries.Add(new(entry.Envelope.Id, entry.Envelope.Header.Author, entry.Envelope.Bytes));
            if (Policy.View.Survivor(entry.Envelope.Header.Author)?.Envelope == entry.Envelope.Id) Surviving.Add(entry.Envelope.Header.Author);
        }
    }

    /// <summary>The document after the commit has become durable.</summary>
    /// <param name="asOf">See <see cref="CachedDocument.AsOf"/>; from a moment at which the row was locked.</param>
    public CachedDocument Publish(long asOf)
    {
        var first = State!.Size - (ulong)_entries.Count;
        for (var i = 0; i < _entries.Count; i++) _recent.Add(_entries[i], first + (ulong)i);
        return new(State, Policy, _recent) { AsOf = asOf, NotBefore = NotBefore };
    }
}
