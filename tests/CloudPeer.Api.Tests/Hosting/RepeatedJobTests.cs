using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Server;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>What the server does by itself again and again goes on after whatever failed once.</summary>
public sealed class RepeatedJobTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_fails_is_logged_by_what_it_means_and_the_next_one_comes()
    {
        Exception[] failures =
        [
            new InvalidOperationException("a damaged row"), new TlfsException(Reason.Unavailable, "no database"), new IOException("no disk"),
            new OperationCanceledException("by nobody here"), Postgres("57014"), Postgres("XX000"),
        ];
        var clock = new SleepersClock();
        using var job = new FailingJob(failures, clock);

        await job.StartAsync(Cancel);
        foreach (var _ in failures)
        {
            Assert.Equal(TimeSpan.FromHours(1), await clock.SomebodySleepsAsync().WaitAsync(TimeSpan.FromMinutes(1), Cancel));
            clock.Advance(TimeSpan.FromHours(1));
        }

        await clock.SomebodySleepsAsync().WaitAsync(TimeSpan.FromMinutes(1), Cancel);
        await job.StopAsync(Cancel);
        Assert.Equal([LogLevel.Error, LogLevel.Warning, LogLevel.Warning, LogLevel.Error, LogLevel.Warning, LogLevel.Error], job.Logged);
        Assert.Equal(failures.Length + 1, job.Runs);
    }

    private static PostgresException Postgres(string state) => new("no", "ERROR", "ERROR", state);

    private sealed class FailingJob(Exception[] failures, TimeProvider clock) : RepeatedJob(clock)
    {
        public List<LogLevel> Logged { get; } = [];

        public int Runs { get; private set; }

        protected override TimeSpan UntilNext() => TimeSpan.FromHours(1);

        protected override Task RunAsync(CancellationToken stoppingToken) => Runs++ < failures.Length ? Task.FromException(failures[Runs - 1]) : Task.CompletedTask;

        protected override void LogFailed(LogLevel level, Exception failure) => Logged.Add(level);
    }
}
