using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Everything about a push that needs no lock (sync.md §2): limits, canonical form, an early look at who pushes, signatures, and searches in
/// the log. What it finds out is kept with the bundle, and counts in the commit where the order of checks has its place.
/// </summary>
internal sealed class PushDesk(
    IRelayStore store, ITenants tenants, DocumentCache cache, Committer committer, RelayLimits limits, Func<PeerId, long, bool> charge) : IDisposable
{
    // From here on it is worth waking other cores for signatures of 50 µs each.
    private const int ParallelFrom = 8;

    private readonly WaitingRoom _room = new(limits);
    private readonly SemaphoreSlim _searches = new(limits.SearchDesks, limits.SearchDesks);

    /// <inheritdoc />
    public void Dispose() => _searches.Dispose();

    /// <exception cref="TlfsException"><see cref="Reason.TooLarge"/>: nothing of the push was looked at.</exception>
    public async Task<Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>> QueueAsync(
        PeerId pusher, DocId document, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> bundles, Func<int, bool>? ifCurrent, string app,
        IReadOnlyList<ReadOnlyMemory<byte>> statements, Task earlier, CancellationToken cancellationToken)
    {
        CheckLimits(bundles, statements);
        var results = new Task<Outcome<IReadOnlyList<Receipt>>>[bundles.Count];
        var pending = new List<PendingBundle>(bundles.Count);
        for (var i = 0; i < results.Length; i++)
        {
            if (TryDecode(pusher, document, bundles[i], ifCurrent?.Invoke(i) == true, app, out var bundle) is { } refusal)
            {
                results[i] = Task.FromResult(Outcome.Refused<IReadOnlyList<Receipt>>(refusal));
                continue;
            }

            pending.Add(bundle!);
            results[i] = bundle!.Result;
        }

        var all = Task.WhenAll(results);
        if (pending.Count > 0) await TakeAsync(pusher, pending, statements, all, earlier, cancellationToken).ConfigureAwait(false);
        return AnswerAsync(all, cancellationToken);
    }

    private static async Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> AnswerAsync(
        Task<Outcome<IReadOnlyList<Receipt>>[]> results, CancellationToken cancellationToken) =>
        await results.WaitAsync(cancellationToken).ConfigureAwait(false);

    // The room is taken until everything is answered, also if the caller has gone.
    private async Task TakeAsync(
        PeerId pusher, List<PendingBundle> bundles, IReadOnlyList<ReadOnlyMemory<byte>> statements, Task answered, Task earlier, CancellationToken cancellationToken)
    {
        var bytes = BytesOf(statements);
        foreach (var bundle in bundles) bytes += bundle.Bytes;
        if (!_room.TryEnter(pusher, bytes))
        {
            bundles.ForEach(bundle => bundle.Refuse(Refusal.Busy("The server has too much to store at the moment.")));
            return;
        }

        try
        {
            await PrepareAsync(bundles, statements, earlier, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Nothing of it has been handed on.
            _room.Leave(pusher, bytes);
            throw;
        }

        _ = LeaveAsync(pusher, bytes, answered);
    }

    private async Task LeaveAsync(PeerId pusher, long bytes, Task answered)
    {
        await answered.ConfigureAwait(false);
        _room.Leave(pusher, bytes);
    }

    private void CheckLimits(IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> bundles, IReadOnlyList<ReadOnlyMemory<byte>> statements)
    {
        if (statements.Count > limits.PushStatements) throw new TlfsException(Reason.TooLarge, $"a push shows at most {limits.PushStatements} statements");
        var (bytes, envelopes) = (BytesOf(statements), 0L);
        if (bundles.Count <= limits.PushEnvelopes)
        {
            foreach (var bundle in bundles)
            {
                envelopes += bundle.Count;
                bytes += BytesOf(bundle);
            }
        }

        if (bundles.Count > limits.PushEnvelopes || envelopes > limits.PushEnvelopes || bytes > limits.PushBytes)
            throw new TlfsException(Reason.TooLarge, $"a push has at most {limits.PushEnvelopes} envelopes and {limits.PushBytes} bytes");
    }

    private static long BytesOf(IReadOnlyList<ReadOnlyMemory<byte>> envelopes)
    {
        var bytes = 0L;
        foreach (var envelope in envelopes) bytes += envelope.Length;
        return bytes;
    }

    // Envelope.md §3 steps 1, 2, 8 and the document of step 3.
    private static Refusal? TryDecode(PeerId pusher, DocId document, IReadOnlyList<ReadOnlyMemory<byte>> bundle, bool ifCurrent, string app, out PendingBundle? pending)
    {
        pending = null;
        if (bundle.Count == 0) return new(Reason.Malformed, "A bundle holds at least one envelope.");
        var decoded = new List<PendingEnvelope>(bundle.Count);
        DecodeError? fault = null;
        foreach (var bytes in bundle)
        {
            if (!Envelope.TryDecode(bytes, out var envelope, out var error)) fault ??= error;
            else decoded.Add(new(envelope));
        }

        if (fault is null && decoded.Exists(envelope => envelope.Header.Document != document))
            fault = new(Reason.WrongDocument, "an envelope belongs to another document");
        pending = fault is null ? new(pusher, document, decoded, ifCurrent) { App = app } : null;
        return fault is not { } refused ? null : new(refused.Reason, $"The bundle is refused: {refused.Detail}.")
        {
            Envelopes = [.. decoded.Select(envelope => envelope.Envelope.Id)],
        };
    }

    private async Task PrepareAsync(
        List<PendingBundle> bundles, IReadOnlyList<ReadOnlyMemory<byte>> statements, Task earlier, CancellationToken cancellationToken)
    {
        // Before it is looked whether the document is here, since that must not show.
        if (statements.Count > 0 && !charge(bundles[0].Pusher, 1 + (statements.Count / limits.PushEnvelopes)))
        {
            bundles.ForEach(bundle => bundle.Refuse(NoCallsLeft("The device has no calls left for the statements that it shows.")));
            return;
        }

        // What is remembered may be old, and what is shown decides something only in the state in which the document is now.
        var isFresh = statements.Count > 0;

        // Asked before the document is looked for: what is decided in between is not in it.
        var isUpToDate = earlier.IsCompleted;
        var (isAdmitted, document) = await FindAsync(bundles, isFresh, cancellationToken).ConfigureAwait(false);
        if (isAdmitted)
        {
            Verify(bundles);
            if (!isUpToDate && (document is null || statements.Count > 0 || MustBeAhead(bundles, document.Policy) || BundleLookup.UnknownDeps(bundles, document).Count > 0))
            {
                // What the device pushed before may bring what this one names, or the document itself, or what its statements are to be evaluated with.
                await earlier.WaitAsync(cancellationToken).ConfigureAwait(false);
                (isAdmitted, document) = await FindAsync(bundles, isFresh, cancellationToken).ConfigureAwait(false);
            }
        }

        if (!isAdmitted) bundles.ForEach(bundle => bundle.Refuse(Refusal.NotFound));
        else if (await TakeShownAsync(bundles, document, statements, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            // Whoever may not host a document is not told whether it is here.
            bundles.ForEach(bundle => bundle.Refuse(document is null ? Refusal.NotFound : refusal));
        }
        else if (document is null) committer.Enqueue(bundles);
        else if (await LookUpAsync(bundles, document, cancellationToken).ConfigureAwait(false))
        {
            if (await EvaluateAsync(bundles, document.Policy, cancellationToken).ConfigureAwait(false) is { } tooMuch) bundles.ForEach(bundle => bundle.Refuse(tooMuch));
            else committer.Enqueue(bundles);
        }
    }

    private static bool HasStatements(List<PendingBundle> bundles) => bundles.Exists(bundle => bundle.Envelopes.Any(envelope => envelope.Statement is not null));

    private bool MustBeAhead(List<PendingBundle> bundles, DocumentPolicy policy) => policy.MostSteps > limits.CommitSteps && HasStatements(bundles);

    private async Task<Refusal?> EvaluateAsync(List<PendingBundle> bundles, DocumentPolicy policy, CancellationToken cancellationToken)
    {
        if (!HasStatements(bundles)) return null;

        // What cannot take long waits for nobody.
        if (policy.MostSteps <= limits.StepsPerCall) return Evaluate();
        await _searches.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Evaluate();
        }
        finally
        {
            _searches.Release();
        }

        Refusal? Evaluate() => StatementsAhead.TryEvaluate(bundles, policy, limits.PushSteps, Meter(bundles)) ? null : TooMuchToEvaluate;
    }

    private StepMeter Meter(List<PendingBundle> bundles) => new(limits.StepsPerCall, calls => charge(bundles[0].Pusher, calls));

    // They are looked at only while they decide something: the document is not here, or may not be written any more.
    private async Task<Refusal?> TakeShownAsync(
        List<PendingBundle> bundles, CachedDocument? document, IReadOnlyList<ReadOnlyMemory<byte>> statements, CancellationToken cancellationToken)
    {
        if (statements.Count == 0 || document is not (null or { State.Hosting: HostingState.Ended })) return null;

        // As much work as a search.
        await _searches.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (ShownStatements.TryRead(bundles[0].Document, document, statements, Meter(bundles), out var shown) is { } refusal) return refusal;
            if (shown is null) return TooMuchToEvaluate;
            foreach (var bundle in bundles) bundle.Shown = shown;
            return null;
        }
        finally
        {
            _searches.Release();
        }
    }

    private static Refusal TooMuchToEvaluate => NoCallsLeft("The device has no calls left for the statements that it makes the server evaluate.");

    private static Refusal NoCallsLeft(string message) => new(Reason.RateLimited, message) { RetryAfter = TimeSpan.FromSeconds(1) };

    private async Task<(bool IsAdmitted, CachedDocument? Document)> FindAsync(List<PendingBundle> bundles, bool isFresh, CancellationToken cancellationToken)
    {
        var id = bundles[0].Document;
        var remembered = isFresh ? null : cache.Find(id);
        var document = remembered ?? await cache.LoadAsync(id, cancellationToken).ConfigureAwait(false);
        if (await AdmitAsync(bundles, document, cancellationToken).ConfigureAwait(false)) return (true, document);
        if (remembered is null) return (false, null);

        // What is remembered may be old.
        document = await cache.LoadAsync(id, cancellationToken).ConfigureAwait(false);
        return (await AdmitAsync(bundles, document, cancellationToken).ConfigureAwait(false), document);
    }

    // A stranger is turned away before signatures are checked for it. The commit decides again, with the document locked.
    private async ValueTask<bool> AdmitAsync(List<PendingBundle> bundles, CachedDocument? document, CancellationToken cancellationToken)
    {
        var pusher = bundles[0].Pusher;
        var tenant = document is null or { State.IsForHostOnly: true }
            ? await tenants.FindByDeviceAsync(pusher, cancellationToken).ConfigureAwait(false)
            : null;
        var host = document is null ? tenant : await tenants.FindAsync(document.State.Host, cancellationToken).ConfigureAwait(false);
        foreach (var bundle in bundles) (bundle.PusherTenant, bundle.HostTenant) = (tenant, host);
        return document is null ? tenant is not null : CachedDocument.Serves(document.State, document.Policy, pusher, tenant, host);
    }

    private static void Verify(List<PendingBundle> bundles)
    {
        if (bundles.Count >= ParallelFrom) Parallel.ForEach(bundles, Verify);
        else bundles.ForEach(Verify);
    }

    private static void Verify(PendingBundle bundle)
    {
        if (bundle.Envelopes.Count >= ParallelFrom) Parallel.ForEach(bundle.Envelopes, envelope => envelope.Verify());
        else foreach (var envelope in bundle.Envelopes) envelope.Verify();
    }

    // False if the device has no calls left for what is to be searched; all is refused then.
    private async Task<bool> LookUpAsync(List<PendingBundle> bundles, CachedDocument document, CancellationToken cancellationToken)
    {
        foreach (var bundle in bundles) bundle.LookedUpIn = document.State.Generation;
        var search = new LogSearch(store, _searches, Meter(bundles));
        try
        {
            await BundleLookup.FindDepsAsync(search, bundles, document, cancellationToken).ConfigureAwait(false);
            await BranchLookup.FindAsync(store, search, bundles, document, cancellationToken).ConfigureAwait(false);
            await BundleLookup.FindRepeatedAsync(search, bundles.SelectMany(bundle => bundle.Envelopes), document.State, Remembered, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TlfsException e) when (e.Reason == Reason.RateLimited)
        {
            bundles.ForEach(bundle => bundle.Refuse(NoCallsLeft(e.Message)));
            return false;
        }

        ulong? Remembered(EnvelopeId id) => document.Recent.TryFind(id, out var index) ? index : null;
    }
}
