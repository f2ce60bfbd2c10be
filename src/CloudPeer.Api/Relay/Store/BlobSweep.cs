using CloudPeer.Api.Data;
using Tlfs.Core;

namespace CloudPeer.Api.Relay.Store;

/// <summary>Removes files of the blob folder that no row refers to, at the start and once a day.</summary>
internal sealed partial class BlobSweep(BlobFolder blobs, IBlobIndex index, TimeProvider clock, ILogger<BlobSweep> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do await SweepAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or did not even start.
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            var swept = await blobs.SweepAsync(index, clock.GetUtcNow(), stoppingToken);
            if (swept > 0) LogSwept(swept);
        }
        catch (Exception e) when (e is TlfsException { IsTransient: true } or IOException or UnauthorizedAccessException || DatabaseFailure.IsUnavailable(e))
        {
            LogFailed(e);
        }
    }

    [LoggerMessage(EventId = 1211, Level = LogLevel.Information, Message = "{Count} files of the blob folder belonged to nothing and were removed")]
    private partial void LogSwept(int count);

    [LoggerMessage(EventId = 1212, Level = LogLevel.Warning, Message = "The blob folder could not be swept; tried again in a day")]
    private partial void LogFailed(Exception failure);
}
