using System.Threading.Channels;

namespace Tlfs.Client.Sync;

/// <summary>Wakes one waiter after edits, or after all changes; any number of them while it is busy wake it once.</summary>
internal sealed class ChangeSignal : IDisposable
{
    private readonly Channel<bool> _edits = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ReplicaHome _home;
    private int _edited;

    public ChangeSignal(ReplicaHome home, bool all = false)
    {
        _home = home;
        if (all) home.Changed += Raise;
        else home.Edited += Raise;
    }

    /// <summary>Returns true after the next edit or nudge, or when a time has passed, if one is given; false when cancelled.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken, TimeSpan? longest = null)
    {
        using var late = longest is { } limit ? new CancellationTokenSource(limit, _home.Options.Time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await _edits.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>True if there was an edit, or a change, since this was asked last.</summary>
    public bool TakeEdited() => Interlocked.Exchange(ref _edited, 0) != 0;

    /// <summary>Wakes the waiter without an edit.</summary>
    public void Nudge() => _edits.Writer.TryWrite(true);

    public void Dispose()
    {
        _home.Edited -= Raise;
        _home.Changed -= Raise;
    }

    private void Raise(object? sender, EventArgs e)
    {
        Interlocked.Exchange(ref _edited, 1);
        Nudge();
    }
}
