namespace CloudPeer.Sync.Relay;

/// <summary>
/// Listens to the other processes over the same database as long as the relay lives: marks what is remembered of a document as old, and wakes
/// who waits for it. Whoever wakes reads the document's row. When the store stops telling, it is asked again after a while.
/// </summary>
internal sealed class ElsewhereWatch : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly IRelayStore _store;
    private readonly ChangesElsewhere _changes;
    private readonly DocumentSignals _signals;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFault;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private TimeSpan _wait = FirstWait;
    private bool _isDisposed;

    public ElsewhereWatch(IRelayStore store, ChangesElsewhere changes, DocumentSignals signals, TimeProvider time, Action<Exception> onFault)
    {
        _store = store;
        _changes = changes;
        _signals = signals;
        _time = time;
        _onFault = onFault;
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!await TryWatchAsync().ConfigureAwait(false))
            {
                var wait = _wait;
                _wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
                await Task.Delay(wait, _time, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // Whatever fails now, nobody listens any more.
        }
    }

    // True if the store has nothing to tell.
    private async Task<bool> TryWatchAsync()
    {
        try
        {
            await _store.WatchAsync(Take, _stopping.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // Also after a bug: without this, subscribers would wait for ever.
            _onFault(e);
            return false;
        }
    }

    private void Take(ChangedElsewhere changed)
    {
        _wait = FirstWait;
        _changes.Add(changed);
        if (changed.Documents is null) _signals.PulseAll();
        else foreach (var document in changed.Documents) _signals.Pulse(document);
    }
}
