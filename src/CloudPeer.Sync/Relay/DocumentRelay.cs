using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>A piece of a document's log for a reader (sync.md §3.1).</summary>
/// <param name="FirstIndex">The index of the first entry.</param>
/// <param name="Entries">Dense from there; empty if the log has nothing more.</param>
/// <param name="CaughtUp">The signed head of exactly the log up to these entries, when they reach its end; else null.</param>
/// <param name="Generation">Which log of the document it is of: another one begins after a deletion (log.md §6.6).</param>
public sealed record LogPage(ulong FirstIndex, IReadOnlyList<ServedEntry> Entries, LogHead? CaughtUp, uint Generation);

/// <summary>How a log begins.</summary>
/// <param name="Generation">Which log of the document it is, for <see cref="LogRange.Generation"/>; 0 if the document was never deleted.</param>
/// <param name="Generations">All generations of the document, oldest first.</param>
public sealed record LogBeginning(uint Generation, IReadOnlyList<Generation> Generations);

/// <summary>What a reader wants of a log (sync.md §3.1).</summary>
/// <param name="From">The first index.</param>
public readonly record struct LogRange(ulong From)
{
    /// <summary>The first index that is not wanted; 0 for the end of the log.</summary>
    public ulong Until { get; init; }

    /// <summary>True if no parts are wanted.</summary>
    public bool HeadersOnly { get; init; }

    /// <summary>
    /// True for a reader that has come to the end of the log once and is woken when it grows: what this process remembers will do, also if another one
    /// has appended a moment ago.
    /// </summary>
    public bool IsFollowing { get; init; }

    /// <summary>
    /// The log that the reader was told of, or that the pages before were of; null for whatever log there is. Of another one nothing is read: the reader has
    /// to begin anew.
    /// </summary>
    public uint? Generation { get; init; }

    /// <summary>What is wanted after a page.</summary>
    public LogRange After(LogPage page) => this with
    {
        From = From + (ulong)page.Entries.Count,
        IsFollowing = IsFollowing || page.CaughtUp is not null,
        Generation = page.Generation,
    };
}

/// <summary>
/// Store and forward for encrypted documents (sync.md): checks and stores what is pushed, gives receipts, and serves the logs to those who
/// may have them. The one way into the relay; safe for concurrent use. Failures of the environment are refusals that are transient.
/// </summary>
public sealed partial class DocumentRelay : IAsyncDisposable
{
    private readonly SigningKey _server;
    private readonly IRelayStore _store;
    private readonly ITenants _tenants;
    private readonly TimeProvider _time;
    private readonly RelayLimits _limits;
    private readonly Action<Exception> _onFault;
    private readonly RelayMetrics _metrics;
    private readonly DocumentCache _cache;
    private readonly DocumentSignals _signals = new();
    private readonly ElsewhereWatch _watch;
    private readonly PushDesk _pushes;
    private readonly Committer _committer;
    private readonly ReceiptDesk _receipts;
    private readonly DocumentDeleter _deleter;

    /// <summary>A relay over a store, which it does not own.</summary>
    /// <param name="server">The server's key: signs receipts and heads, and is what documents grant Sync to. Not owned.</param>
    /// <param name="store">Where logs are kept.</param>
    /// <param name="tenants">Who may host documents.</param>
    /// <param name="time">The clock of receipts and heads.</param>
    /// <param name="limits">The limits; the defaults if null.</param>
    /// <param name="onFault">Told of bugs and failures of the environment, for the host's log; callers get a refusal.</param>
    /// <param name="metrics">Takes measurements; nobody does if null.</param>
    /// <param name="charge">Told that a push of a device is as much work as so many calls more; false if the device has not so many left.</param>
    public DocumentRelay(
        SigningKey server, IRelayStore store, ITenants tenants, TimeProvider time, RelayLimits? limits = null, Action<Exception>? onFault = null,
        Func<PeerId, long, bool>? charge = null, RelayMetrics? metrics = null)
    {
        _server = server;
        _store = store;
        _tenants = tenants;
        _time = time;
        _limits = limits ?? new();
        _onFault = onFault ?? (_ => { });
        _metrics = metrics ?? RelayMetrics.None;
        var changes = new ChangesElsewhere(_limits.ChangesElsewhere);
        _cache = new(store, changes, _limits);
        charge ??= (_, _) => true;
        _receipts = new(store, server.Public, _limits.ReceiptDesks, _onFault, charge);
        var context = new CommitContext(server, store, tenants, _cache, _signals, _receipts, time, _limits, _onFault, _metrics);
        _committer = new(context);
        _deleter = new(context);
        _pushes = new(store, tenants, _cache, _committer, _limits, charge);
        _sets = new(store, _limits);
        _proofs = new(store, _limits);
        _deliveries = new(store, time, _limits, _onFault);
        _watch = new(store, changes, _signals, time, _onFault);
    }

    /// <summary>The server.</summary>
    public PeerId Server => _server.Public;

    /// <summary>
    /// Stores bundles of one document (sync.md §2). Each is accepted whole, and then has a receipt for each of its envelopes, or refused whole.
    /// Results are in the order of the bundles; a refusal does not stop those after it. Pushing the same envelope again gives the same receipt.
    /// </summary>
    /// <param name="pusher">Whose session it is; not necessarily an author.</param>
    /// <param name="document">The document.</param>
    /// <param name="bundles">Envelopes as they travel. The memory is kept until the result is there.</param>
    /// <param name="cancellationToken">Stops waiting; what has been handed to a commit may still be stored.</param>
    /// <param name="ifCurrent">Of a bundle, by its place: whether a zone in it must have seen every statement here. None if null.</param>
    /// <param name="app">The app that pushes; a document counts to the budget of the one that began it. Empty if it does not say.</param>
    /// <param name="statements">What shows that the document may be held here, although its log here does not say so yet: a statement and all that it rests on. None if null.</param>
    /// <exception cref="TlfsException"><see cref="Reason.TooLarge"/>: more than one push may have; nothing of it was looked at.</exception>
    public async Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> PushAsync(
        PeerId pusher, DocId document, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> bundles, CancellationToken cancellationToken,
        Func<int, bool>? ifCurrent = null, string app = "", IReadOnlyList<ReadOnlyMemory<byte>>? statements = null) =>
        await (await QueueAsync(pusher, document, bundles, cancellationToken, ifCurrent, app, statements).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>
    /// Pushes as <see cref="PushAsync"/> does, and completes when the push is queued for a commit: what is queued after it is decided after it. So a device
    /// need not wait for one answer before its next push, and both share a commit.
    /// </summary>
    /// <param name="pusher">Whose session it is; not necessarily an author.</param>
    /// <param name="document">The document.</param>
    /// <param name="bundles">Envelopes as they travel. The memory is kept until the result is there.</param>
    /// <param name="cancellationToken">Stops waiting; what has been handed to a commit may still be stored.</param>
    /// <param name="ifCurrent">Of a bundle, by its place: whether a zone in it must have seen every statement here. None if null.</param>
    /// <param name="app">The app that pushes; a document counts to the budget of the one that began it. Empty if it does not say.</param>
    /// <param name="statements">What shows that the document may be held here, although its log here does not say so yet: a statement and all that it rests on. None if null.</param>
    /// <param name="earlier">Completes when pushes are decided that this one may depend on; waited for before the log is searched for something. None if null.</param>
    /// <returns>In it the results, in the order of the bundles.</returns>
    /// <exception cref="TlfsException"><see cref="Reason.TooLarge"/>: more than one push may have; nothing of it was looked at.</exception>
    public async Task<Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>> QueueAsync(
        PeerId pusher, DocId document, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> bundles, CancellationToken cancellationToken,
        Func<int, bool>? ifCurrent = null, string app = "", IReadOnlyList<ReadOnlyMemory<byte>>? statements = null, Task? earlier = null)
    {
        var measured = _metrics.BeginPush();
        Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> answer;
        try
        {
            answer = await _pushes.QueueAsync(pusher, document, bundles, ifCurrent, app, statements ?? [], earlier ?? Task.CompletedTask, cancellationToken).ConfigureAwait(false);
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            var refused = Outcome.Refused<IReadOnlyList<Receipt>>(Fault(e));
            answer = Task.FromResult<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>([.. bundles.Select(_ => refused)]);
        }
        catch
        {
            measured?.Fail();
            throw;
        }

        return measured?.EndAsync(answer) ?? answer;
    }

    /// <summary>The next page of a log (sync.md §3.1), without the parts that the reader may not have now.</summary>
    public async Task<Outcome<LogPage>> ReadAsync(PeerId reader, DocId document, LogRange range, CancellationToken cancellationToken)
    {
        try
        {
            var known = await FindServedAsync(reader, document, cancellationToken).ConfigureAwait(false);
            if (known is null || !IsOf(known, range.Generation)) return Outcome.Refused<LogPage>(Refusal.NotFound);
            var (from, wanted) = (range.From, Wanted(range));
            if (range.IsFollowing && known.State.Size > from) _metrics.Behind(known.State.Size - from);
            if (range.IsFollowing && known.Recent.Read(from, known.State.Size, wanted, _limits.PageBytes) is { } tail)
                return Outcome.Of(Page(known, reader, range, tail));
            var asOf = _cache.Told;
            var slice = await _store.ReadAsync(document, from, wanted, _limits.PageBytes, cancellationToken).ConfigureAwait(false);
            var current = slice is null ? null : await CurrentAsync(slice, known.State.Size, asOf, cancellationToken).ConfigureAwait(false);
            if (slice is { Entries.Count: 0 } && wanted > 0 && from < slice.State.Size)
                throw new TlfsException(Reason.Unavailable, "The document was removed at this moment, or its log lacks entries; try again.");
            if (current is null || !IsOf(current, range.Generation) || !await IsServedAsync(current, reader, cancellationToken).ConfigureAwait(false))
                return Outcome.Refused<LogPage>(Refusal.NotFound);
            return Outcome.Of(Page(current, reader, range, slice!.Entries));
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return Outcome.Refused<LogPage>(Fault(e));
        }
    }

    private LogPage Page(CachedDocument document, PeerId reader, LogRange range, IReadOnlyList<LogEntry> entries)
    {
        var served = ServedEntry.For(entries, document.Policy.View, reader, range.HeadersOnly);
        var isWhole = range.From + (ulong)entries.Count >= document.State.Size;
        return new(range.From, served, isWhole ? document.Head(_server, _time) : null, document.State.Generation);
    }

    private static bool IsOf(CachedDocument document, uint? generation) => generation is null || document.State.Generation == generation;

    /// <summary>How a log begins, for whoever is about to read it (log.md §6.2): what it says goes along with the cursor, so that no page of another log follows.</summary>
    public async Task<Outcome<LogBeginning>> BeginningAsync(PeerId reader, DocId document, CancellationToken cancellationToken)
    {
        try
        {
            // While there is none, the document was never deleted: whoever may not read it learns that from the first page.
            var stored = await _store.ReadGenerationsAsync(document, cancellationToken).ConfigureAwait(false);
            if (stored.Count == 0) return Outcome.Of(new LogBeginning(0, []));
            var current = await _cache.LoadAsync(document, cancellationToken).ConfigureAwait(false);
            if (current is null || !await IsServedAsync(current, reader, cancellationToken).ConfigureAwait(false)) return Outcome.Refused<LogBeginning>(Refusal.NotFound);
            var began = current.State.Generation;
            if (began != 0 && !stored.Any(each => each.Number == began))
                return Outcome.Refused<LogBeginning>(new(Reason.Unavailable, "The document was begun anew at this moment; try again."));
            return Outcome.Of(new LogBeginning(
                began, [.. stored.Select(each => Generation.Sign(_server, document, each.Number, each.Log.Size, each.Log.Root, each.Micros))]));
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return Outcome.Refused<LogBeginning>(Fault(e));
        }
    }

    /// <summary>
    /// Waits until a log has more than <paramref name="size"/> envelopes (sync.md §3.3). Null means: read on. A refusal ends the
    /// subscription, also when the reader's right ends while it waits (sync.md §3.4), or the log is another one than <paramref name="generation"/>.
    /// </summary>
    public async Task<Refusal?> WaitAsync(PeerId reader, DocId document, ulong size, CancellationToken cancellationToken, uint? generation = null)
    {
        try
        {
            using var waiter = _signals.Enter(document);
            while (true)
            {
                var changed = waiter.Changed;
                var current = await FindServedAsync(reader, document, cancellationToken).ConfigureAwait(false);
                if (current is null || !IsOf(current, generation)) return Refusal.NotFound;
                if (current.State.Size > size) return null;
                current.Recent.Follow();
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return Fault(e);
        }
    }

    /// <summary>
    /// Ends the hosting of a document and gives its tenant the room back (sync.md §6.4); whoever is subscribed to it is told that it is not there. For the
    /// devices of the tenant that hosts it, whatever their rights in the document.
    /// </summary>
    public async Task<Outcome<FreedRoom>> DeleteAsync(PeerId device, DocId document, CancellationToken cancellationToken)
    {
        try
        {
            return await _deleter.DeleteAsync(device, document, cancellationToken).ConfigureAwait(false);
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return Outcome.Refused<FreedRoom>(Fault(e));
        }
    }

    /// <summary>True if the document is here and served to the reader (sync.md §1.3).</summary>
    /// <exception cref="TlfsException">The store cannot be asked now.</exception>
    public async ValueTask<bool> MayReadAsync(PeerId reader, DocId document, CancellationToken cancellationToken)
    {
        var current = await _cache.LoadAsync(document, cancellationToken).ConfigureAwait(false);
        return current is not null && await IsServedAsync(current, reader, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finishes the commits that are waiting, and accepts nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync().ConfigureAwait(false);
        await _committer.DisposeAsync().ConfigureAwait(false);
        await _receipts.DisposeAsync().ConfigureAwait(false);
        await _deleter.DisposeAsync().ConfigureAwait(false);
        await _deliveries.DisposeAsync().ConfigureAwait(false);
        _pushes.Dispose();
        _sets.Dispose();
        _proofs.Dispose();
    }

    private int Wanted(LogRange range)
    {
        if (range.Until == 0) return _limits.PageEnvelopes;
        return range.Until <= range.From ? 0 : (int)Math.Min((ulong)_limits.PageEnvelopes, range.Until - range.From);
    }

    // What is remembered may be old, so a no is asked of the store; a yes is checked again against what is read.
    private async ValueTask<CachedDocument?> FindServedAsync(PeerId reader, DocId document, CancellationToken cancellationToken)
    {
        var cached = await _cache.FindRefreshedAsync(document, cancellationToken).ConfigureAwait(false);
        if (cached is not null && await IsServedAsync(cached, reader, cancellationToken).ConfigureAwait(false)) return cached;
        var current = await _cache.LoadAsync(document, cancellationToken).ConfigureAwait(false);
        return current is not null && await IsServedAsync(current, reader, cancellationToken).ConfigureAwait(false) ? current : null;
    }

    private Task<CachedDocument> CurrentAsync(LogSlice slice, ulong known, long asOf, CancellationToken cancellationToken)
    {
        // Nothing to read although more was remembered before: the log was restored from a copy. What was committed since then is no sign of that.
        if (slice.Entries.Count == 0 && known > slice.State.Size) _cache.Forget(slice.State.Document);
        return _cache.CurrentAsync(slice.State, asOf, cancellationToken);
    }

    private async ValueTask<bool> IsServedAsync(CachedDocument document, PeerId peer, CancellationToken cancellationToken)
    {
        var tenant = document.State.IsForHostOnly ? await _tenants.FindByDeviceAsync(peer, cancellationToken).ConfigureAwait(false) : null;
        var host = await _tenants.FindAsync(document.State.Host, cancellationToken).ConfigureAwait(false);
        return CachedDocument.Serves(document.State, document.Policy, peer, tenant, host);
    }

    private Refusal Fault(TlfsException fault)
    {
        _onFault(fault);
        return new(fault.Reason, fault.Message);
    }
}
