using CloudPeer.Sync.Client;

namespace Tlfs.Client.Sync;

/// <summary>
/// When to try again what did not work. An edit here may have changed what was in the way, so it does not wait, but only once between two attempts that were
/// due: one who writes all the time must not ask all the time. Safe for concurrent use.
/// </summary>
/// <param name="backoff">How long to wait.</param>
/// <param name="time">The clock to wait by.</param>
internal sealed class RetryTimer(Backoff backoff, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TimeSpan? _wait;
    private long _since;
    private bool _hastened;

    /// <summary>How long it is until the next attempt; null if nothing waits for one.</summary>
    public TimeSpan? Left
    {
        get
        {
            lock (_gate) return _wait is { } wait ? Longer(wait - time.GetElapsedTime(_since), TimeSpan.Zero) : null;
        }
    }

    /// <summary>True if it is to be tried now.</summary>
    /// <param name="edited">Something was edited here meanwhile.</param>
    public bool IsDue(bool edited)
    {
        lock (_gate)
        {
            if (HasPassed) return true;
            if (!edited || _hastened) return false;
            return _hastened = true;
        }
    }

    /// <summary>It did not work, or is to be done again. An attempt that an edit brought forward leaves the time of the next one as it is.</summary>
    /// <param name="hint">When the server said to come back; null if it said nothing.</param>
    public void Later(TimeSpan? hint = null)
    {
        lock (_gate)
        {
            if (!HasPassed) return;
            _wait = backoff.Next(hint);
            _since = time.GetTimestamp();
            _hastened = false;
        }
    }

    /// <summary>It worked: nothing waits any more.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            backoff.Reset();
            _wait = null;
            _hastened = false;
        }
    }

    private bool HasPassed => _wait is not { } wait || time.GetElapsedTime(_since) >= wait;

    private static TimeSpan Longer(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
