using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using CloudPeer.Sync.Log;

namespace CloudPeer.Sync.Relay;

/// <summary>A piece of a document's log for a reader (sync.md §3.1).</summary>
/// <param name="FirstIndex">The index of the first entry.</param>
/// <param name="Entries">Dense from there; empty if the log has nothing more.</param>
/// <param name="CaughtUp">The signed head of exactly the log up to these entries, when they reach its end; else null.</param>
public sealed record LogPage(ulong FirstIndex, IReadOnlyList<LogEntry> Entries, LogHead? CaughtUp);

/// <summary>
/// Store and forward for encrypted documents (sync.md): checks and stores what is pushed, gives receipts, and serves the logs to those who
/// may have them. The one way into the relay; safe for concurrent use.
/// </summary>
public sealed class DocumentRelay : IAsyncDisposable
{
    /// <summary>A relay over a store, which it does not own.</summary>
    /// <param name="server">The server's key: signs receipts and heads, and is what documents grant Sync to. Not owned.</param>
    /// <param name="store">Where logs are kept.</param>
    /// <param name="tenants">Who may host documents.</param>
    /// <param name="time">The clock of receipts and heads.</param>
    /// <param name="limits">The limits; the defaults if null.</param>
    public DocumentRelay(SigningKey server, IRelayStore store, ITenants tenants, TimeProvider time, RelayLimits? limits = null)
    {
        Server = server.Public;
        _notThere = new(Reason.Unavailable, "Not there yet.");
    }

    private readonly TlfsException _notThere;

    /// <summary>The server.</summary>
    public PeerId Server { get; }

    /// <summary>
    /// Stores bundles of one document (sync.md §2). Each is accepted whole, and then has a receipt for each of its envelopes, or refused whole.
    /// Results are in the order of the bundles; a refusal does not stop those after it. Pushing the same envelope again gives the same receipt.
    /// </summary>
    /// <param name="pusher">Whose session it is; not necessarily an author.</param>
    /// <param name="document">The document.</param>
    /// <param name="bundles">Envelopes as they travel. The memory is kept until the result is there.</param>
    /// <param name="cancellationToken">Stops waiting; what has been handed to a commit may still be stored.</param>
    public Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> PushAsync(
        PeerId pusher, DocId document, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> bundles, CancellationToken cancellationToken) =>
        throw _notThere;

    /// <summary>The next page of a log (sync.md §3.1), from an index on.</summary>
    public Task<Outcome<LogPage>> ReadAsync(PeerId reader, DocId document, ulong from, CancellationToken cancellationToken) =>
        throw _notThere;

    /// <summary>The signed head of a log (log.md §3).</summary>
    public Task<Outcome<LogHead>> HeadAsync(PeerId reader, DocId document, CancellationToken cancellationToken) =>
        throw _notThere;

    /// <summary>
    /// Waits until a log has more than <paramref name="size"/> envelopes (sync.md §3.3). Null means: read on. A refusal ends the
    /// subscription, also when the reader's right ends while it waits (sync.md §3.4).
    /// </summary>
    public Task<Refusal?> WaitAsync(PeerId reader, DocId document, ulong size, CancellationToken cancellationToken) =>
        throw _notThere;

    /// <summary>True if the document is here and served to the reader (sync.md §1.3).</summary>
    public ValueTask<bool> MayReadAsync(PeerId reader, DocId document, CancellationToken cancellationToken) =>
        throw _notThere;

    /// <summary>Finishes the commits that are waiting, and accepts nothing more.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
