using CloudPeer.Sync.Wire;

namespace CloudPeer.Sync.Client;

/// <summary>Holds the session that is open now, and opens the next one before it ends. One opens at a time.</summary>
internal sealed class SessionKeeper(Func<CancellationToken, Task<ClientSession>> open, TimeProvider time) : IDisposable
{
    // Tokens are valid for 15 minutes (docs/protocol/session.md §5). Measured here, because the server's clock may be another.
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _gate = new(1);
    private ClientSession? _session;
    private long _opened;

    public async Task<ClientSession> GetAsync(CancellationToken cancellationToken)
    {
        if (Current is { } current) return current;
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Current is { } meanwhile) return meanwhile;
            var session = await open(cancellationToken).ConfigureAwait(false);
            _opened = time.GetTimestamp();
            _session = session;
            return session;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The server does not accept the session any more.</summary>
    public void Forget() => _session = null;

    public void Dispose() => _gate.Dispose();

    private ClientSession? Current => _session is { } session && time.GetElapsedTime(_opened) < RenewAfter ? session : null;
}
