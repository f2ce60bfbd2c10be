using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>What another process over the same database has changed.</summary>
/// <param name="Documents">The documents whose logs have changed; null if it may be any.</param>
public sealed record ChangedElsewhere(IReadOnlyList<DocPrefix>? Documents)
{
    /// <summary>Any document may have changed.</summary>
    public static ChangedElsewhere Any { get; } = new((IReadOnlyList<DocPrefix>?)null);
}

/// <summary>
/// Remembers which documents other processes have changed, so that what was read before can be told from what was read after. Bounded: when
/// it is full it forgets, and then everything that was read before counts as old.
/// </summary>
/// <param name="capacity">The most documents that are remembered.</param>
internal sealed class ChangesElsewhere(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DocPrefix, long> _last = [];
    private long _told;
    private long _lastOfOthers;

    /// <summary>How often something was told. Take it before reading a document's row: it says how old the row is.</summary>
    public long Told => Interlocked.Read(ref _told);

    /// <summary>Takes what was told.</summary>
    public void Add(ChangedElsewhere changed)
    {
        lock (_gate)
        {
            var now = Interlocked.Increment(ref _told);
            if (changed.Documents is not null && _last.Count + changed.Documents.Count <= capacity)
            {
                foreach (var document in changed.Documents) _last[document] = now;
                return;
            }

            _last.Clear();
            _lastOfOthers = now;
        }
    }

    /// <summary>True if the document may have changed after a moment.</summary>
    /// <param name="document">The document.</param>
    /// <param name="since">What <see cref="Told"/> was at the moment.</param>
    public bool Include(DocId document, long since)
    {
        lock (_gate) return _last.GetValueOrDefault(DocPrefix.Of(document), _lastOfOthers) > since;
    }
}
