using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Walks an author's chain in the log back from its end, each step once, for whoever asks in descending order.</summary>
internal sealed class ChainWalk(LogSearch search, DocId document, AuthorTip tip)
{
    private LogPlace? _place = new(tip.Index, tip.Id);
    private ulong _seq = tip.Seq;

    /// <summary>Where the chain has its envelope with a number; null if it is shorter.</summary>
    /// <param name="seq">At most the number asked for before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<LogPlace?> ToAsync(ulong seq, CancellationToken cancellationToken)
    {
        if (seq == _seq || _place is null) return _place;
        _place = await search.WalkBackAsync(document, _place.Index, _seq - seq, cancellationToken).ConfigureAwait(false);
        _seq = seq;
        return _place;
    }
}
