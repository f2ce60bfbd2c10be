namespace CloudPeer.Sync.Relay;

/// <summary>The limits of a relay. A request past one is refused before anything is kept for it.</summary>
public sealed record RelayLimits
{
    /// <summary>Bytes of all envelopes of a push. A frame of the protocol has 4 MiB.</summary>
    public int PushBytes { get; init; } = 4 << 20;

    /// <summary>Envelopes of a push, over all its bundles.</summary>
    public int PushEnvelopes { get; init; } = 512;

    /// <summary>Envelopes of one group commit; a bundle is never cut.</summary>
    public int CommitEnvelopes { get; init; } = 512;

    /// <summary>Bytes of one group commit; a single larger bundle is still taken.</summary>
    public int CommitBytes { get; init; } = 2 << 20;

    /// <summary>Bytes of all pushes that wait for a commit. Beyond it pushes are refused as unavailable.</summary>
    public long WaitingBytes { get; init; } = 64 << 20;

    /// <summary>Envelopes of one page of a log (sync.md §3.1).</summary>
    public int PageEnvelopes { get; init; } = 64;

    /// <summary>Bytes of one page of a log; a single larger envelope is still sent.</summary>
    public int PageBytes { get; init; } = 64 << 10;

    /// <summary>How many of a document's last ids are remembered, so that deps and repeated pushes are found without the store.</summary>
    public int RecentIds { get; init; } = 1024;

    /// <summary>Bytes of a document's last entries that are kept in memory while somebody follows it: two pages.</summary>
    public int TailBytes { get; init; } = 128 << 10;

    /// <summary>Statements, remembered ids and entries over all documents in memory; the documents used least recently leave first.</summary>
    public int CachedItems { get; init; } = 1 << 20;
}
