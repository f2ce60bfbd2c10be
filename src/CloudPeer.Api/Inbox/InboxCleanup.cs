using CloudPeer.Api.Data;

namespace CloudPeer.Api.Inbox;

/// <summary>Deletes messages that nobody fetched for too long, once an hour. Readers never see them, so nothing depends on the hour.</summary>
internal sealed partial class InboxCleanup(InboxStore inbox, TimeProvider clock, ILogger<InboxCleanup> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do await DeleteAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or did not even start.
        }
    }

    private async Task DeleteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var deleted = await inbox.DeleteExpiredAsync(stoppingToken);
            if (deleted > 0) LogDeleted(deleted);
        }
        catch (Exception e) when (DatabaseFailure.IsUnavailable(e))
        {
            LogFailed(e);
        }
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "{Count} inbox messages expired")]
    private partial void LogDeleted(int count);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Warning, Message = "Expired inbox messages could not be deleted; tried again in an hour")]
    private partial void LogFailed(Exception failure);
}
