namespace CloudPeer.Sync.Relay;

/// <summary>The limits of a relay. A request past one is refused before anything is kept for it.</summary>
public sealed record RelayLimits
{
    /// <summary>Bytes of all envelopes of a push. A frame of the protocol has 4 MiB.</summary>
    public int PushBytes { get; init; } = 4 << 20;

    /// <summary>Envelopes of a push, over all its bundles.</summary>
    public int PushEnvelopes { get; init; } = 512;

    /// <summary>Statements that a push shows besides its bundles; their bytes count as the push's.</summary>
    public int PushStatements { get; init; } = 4096;

    /// <summary>Envelopes of one group commit; a bundle is never cut.</summary>
    public int CommitEnvelopes { get; init; } = 512;

    /// <summary>Bytes of one group commit; a single larger bundle is still taken.</summary>
    public int CommitBytes { get; init; } = 2 << 20;

    /// <summary>Bytes of all pushes that are being checked or wait for a commit. Beyond it pushes are refused as unavailable.</summary>
    public long WaitingBytes { get; init; } = 64 << 20;

    /// <summary>The same for the pushes of one device.</summary>
    public long WaitingBytesPerDevice { get; init; } = 16 << 20;

    /// <summary>
    /// Entries of a log that a push may have searched, and steps of evaluating statements that it may have taken, for the price of one call of its device.
    /// Receipts of an earlier commit cost one call too.
    /// </summary>
    public int StepsPerCall { get; init; } = 1000;

    /// <summary>Steps of evaluating the statements of a push before its commit; the one that exceeds them is still evaluated.</summary>
    public int PushSteps { get; init; } = 1 << 16;

    /// <summary>Steps of evaluating statements inside one group commit, which everybody waits for: those that were not evaluated before it, or for another policy.</summary>
    public int CommitSteps { get; init; } = 1 << 14;

    /// <summary>Searches of logs for pushes, and long evaluations of statements, at the same time.</summary>
    public int SearchDesks { get; init; } = 2;

    /// <summary>Authors of one document: the row with the end of each one's chain is written with every commit to it.</summary>
    public int Authors { get; init; } = 4096;

    /// <summary>Pushes whose receipts are made again at the same time.</summary>
    public int ReceiptDesks { get; init; } = 2;

    /// <summary>Envelopes of one page of a log (sync.md §3.1).</summary>
    public int PageEnvelopes { get; init; } = 64;

    /// <summary>Bytes of one page of a log; a single larger envelope is still sent.</summary>
    public int PageBytes { get; init; } = 64 << 10;

    /// <summary>How many of a document's last ids are remembered, so that deps and repeated pushes are found without the store.</summary>
    public int RecentIds { get; init; } = 1024;

    /// <summary>Documents of which is remembered when another process changed them last; past it, all that is cached is read again once.</summary>
    public int ChangesElsewhere { get; init; } = 1 << 16;

    /// <summary>Entries of deleted documents that are removed in one transaction.</summary>
    public int PurgeEntries { get; init; } = 1000;

    /// <summary>Bytes of a document's last entries that are kept in memory while somebody follows it: two pages.</summary>
    public int TailBytes { get; init; } = 128 << 10;

    /// <summary>Remembered ids, and statements and entries by 64 bytes, over all documents in memory; the documents used least recently leave first.</summary>
    public int CachedItems { get; init; } = 1 << 20;

    /// <summary>Ids of all logs that are kept in memory for reconciliation, about 150 bytes each, and so the longest log that can be reconciled.</summary>
    public int ComparedIds { get; init; } = 1 << 20;

    /// <summary>Envelopes by which a log may grow while it is reconciled.</summary>
    public int ComparedGrowth { get; init; } = 1 << 16;

    /// <summary>Ids by which what is kept of a log grows at a time: what is done stays done if the caller goes away.</summary>
    public int ComparedStep { get; init; } = 1 << 18;

    /// <summary>Roots of 256 envelopes each, of all logs, that are kept in memory for consistency proofs; 32 bytes each.</summary>
    public int ProofTiles { get; init; } = 1 << 20;

    /// <summary>Ids that one call reads to prepare the consistency proofs of a log; the next call goes on.</summary>
    public int ProofIds { get; init; } = 1 << 20;

    /// <summary>Devices of a document whose acknowledgements are kept; the one that is older than all others makes room.</summary>
    public int DeliveredDevices { get; init; } = 1024;

    /// <summary>Acknowledgements that wait to be stored, of all documents; what comes beyond is forgotten, since devices repeat it with what they fetch next.</summary>
    public int WaitingAcks { get; init; } = 1 << 16;

    /// <summary>How long acknowledgements are collected before they are stored together.</summary>
    public TimeSpan AckInterval { get; init; } = TimeSpan.FromSeconds(2);
}
