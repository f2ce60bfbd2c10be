using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Relay;

/// <summary>
/// Counts every night what tenants use, and says so if a counter differs (docs/protocol/sync.md §6.3). It corrects nothing: a counter that is wrong is a bug, and
/// <c>cloudpeer usage check --repair</c> is an operator's word.
/// </summary>
internal sealed partial class UsageCheck(UsageAudit audit, TimeProvider clock, ILogger<UsageCheck> log) : RepeatedJob(clock)
{
    /// <summary>When it begins, UTC.</summary>
    public static readonly TimeSpan TimeOfDay = TimeSpan.FromHours(3);

    protected override bool RunsAtStart => false;

    protected override TimeSpan UntilNext()
    {
        var now = Clock.GetUtcNow().TimeOfDay;
        return now < TimeOfDay ? TimeOfDay - now : TimeOfDay - now + TimeSpan.FromDays(1);
    }

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var report = await audit.RunAsync(repair: false, stoppingToken);
        foreach (var difference in report.Differences)
            LogDifference(difference.Tenant.ToString(), difference.Document?.ToString(), difference.StoredBytes, difference.CountedBytes);
        LogChecked(report.Documents, report.Tenants, report.Differences.Count);
    }

    [LoggerMessage(
        EventId = 1203, Level = LogLevel.Error,
        Message = "The use of tenant {Tenant}, document {Document}, is {Stored} bytes by its counter and {Counted} by the tables; see: cloudpeer usage check --repair")]
    private partial void LogDifference(string tenant, string? document, ulong stored, ulong counted);

    [LoggerMessage(EventId = 1204, Level = LogLevel.Information, Message = "The use of {Tenants} tenants was counted over {Documents} documents; {Differences} counters differ")]
    private partial void LogChecked(int documents, int tenants, int differences);

    [LoggerMessage(EventId = 1205, Message = "What tenants use could not be counted; tried again tomorrow")]
    protected override partial void LogFailed(LogLevel level, Exception failure);
}
