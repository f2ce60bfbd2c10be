using CloudPeer.Api.Hosting;

namespace CloudPeer.Api.Inbox;

/// <summary>Deletes messages that nobody fetched for too long, once an hour. Readers never see them, so nothing depends on the hour.</summary>
internal sealed partial class InboxCleanup(InboxStore inbox, TimeProvider clock, ILogger<InboxCleanup> log) : RepeatedJob(clock)
{
    protected override TimeSpan UntilNext() => TimeSpan.FromHours(1);

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var deleted = await inbox.DeleteExpiredAsync(stoppingToken);
        if (deleted > 0) LogDeleted(deleted);
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "{Count} inbox messages expired")]
    private partial void LogDeleted(int count);

    [LoggerMessage(EventId = 1102, Message = "Expired inbox messages could not be deleted; tried again in an hour")]
    protected override partial void LogFailed(LogLevel level, Exception failure);
}
