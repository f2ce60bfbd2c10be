using CloudPeer.Api.Hosting;

namespace CloudPeer.Api.Relay.Store;

/// <summary>Removes files of the blob folder that no row refers to, at the start and once a day.</summary>
internal sealed partial class BlobSweep(BlobFolder blobs, IBlobIndex index, TimeProvider clock, ILogger<BlobSweep> log) : RepeatedJob(clock)
{
    protected override TimeSpan UntilNext() => TimeSpan.FromDays(1);

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var swept = await blobs.SweepAsync(index, Clock.GetUtcNow(), stoppingToken);
        if (swept > 0) LogSwept(swept);
    }

    [LoggerMessage(EventId = 1211, Level = LogLevel.Information, Message = "{Count} files of the blob folder belonged to nothing and were removed")]
    private partial void LogSwept(int count);

    [LoggerMessage(EventId = 1212, Message = "The blob folder could not be swept; tried again in a day")]
    protected override partial void LogFailed(LogLevel level, Exception failure);
}
