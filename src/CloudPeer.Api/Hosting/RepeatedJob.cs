using CloudPeer.Api.Data;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>Something that the server does again and again beside its calls. A run that fails is logged, and the next one comes all the same: no job ends the server.</summary>
/// <param name="clock">The clock.</param>
internal abstract class RepeatedJob(TimeProvider clock) : BackgroundService
{
    /// <summary>The clock.</summary>
    protected TimeProvider Clock { get; } = clock;

    /// <summary>True if it runs at the start, too.</summary>
    protected virtual bool RunsAtStart => true;

    /// <summary>How long it is until the next run.</summary>
    protected abstract TimeSpan UntilNext();

    /// <summary>Runs once.</summary>
    protected abstract Task RunAsync(CancellationToken stoppingToken);

    /// <summary>Logs that a run failed: a warning for what may be better by itself, an error for a bug or for damaged data.</summary>
    protected abstract void LogFailed(LogLevel level, Exception failure);

    /// <inheritdoc />
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (RunsAtStart) await TryRunAsync(stoppingToken);
            while (true)
            {
                await Task.Delay(UntilNext(), Clock, stoppingToken);
                await TryRunAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or did not even start.
        }
    }

    private async Task TryRunAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            var mayPass = failure is TlfsException { IsTransient: true } or IOException or UnauthorizedAccessException || DatabaseFailure.IsUnavailable(failure);
            LogFailed(mayPass ? LogLevel.Warning : LogLevel.Error, failure);
        }
    }
}
