using CloudPeer.Api.Hosting;

namespace CloudPeer.Api.Relay;

/// <summary>
/// Ends the streams of a server that stops, and leaves the connections open for a moment more: a client that sees its connection close before it has read
/// how a stream ended does not learn when to come back.
/// </summary>
internal sealed class StreamEnding(IHostApplicationLifetime lifetime) : IHostedLifecycleService
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;

    /// <summary>Cancelled when the server stops.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Counts a stream until all of it is sent, with its end.</summary>
    public void Enter(HttpResponse response)
    {
        lock (_gate) _open++;
        response.OnCompleted(() =>
        {
            lock (_gate)
            {
                if (--_open == 0 && Stopping.IsCancellationRequested) _ended.TrySetResult();
            }

            return Task.CompletedTask;
        });
    }

    /// <inheritdoc />
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        lifetime.StopApplication();
        lock (_gate)
        {
            // None was open when the stop began.
            if (_open == 0 && !_ended.Task.IsCompleted) return;
        }

        // The network's time, not the service's.
        await _ended.Task.WaitAsync(ServerLimits.StreamEnds, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(ServerLimits.Farewell, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
