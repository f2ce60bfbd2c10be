using CloudPeer.Api.Relay;
using CloudPeer.Api.Relay.Store;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>What the relay reports and how often it is logged.</summary>
public sealed class RelayFaultsTests
{
    [Fact]
    public void A_damaged_file_is_named_once_an_hour_and_everything_else_each_time()
    {
        var log = new EventLog();
        var clock = new FakeTimeProvider();
        var faults = new RelayFaults(log, clock);
        void DamagedAgain(long tag) => faults.Take(new TlfsException(
            Reason.Unavailable, "not now", new DamagedBlobException(new(new EnvelopeId(new(new byte[32])), tag), "the file is missing")));

        for (var i = 0; i < 3; i++) DamagedAgain(1);
        DamagedAgain(2);
        for (var i = 0; i < 2; i++) faults.Take(new TlfsException(Reason.Unavailable, "no database"));
        for (var i = 0; i < 2; i++) faults.Take(new InvalidOperationException("a bug"));
        Assert.Equal([1206, 1206, 1201, 1201, 1202, 1202], log.Numbers);

        clock.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 3; i++) DamagedAgain(1);
        Assert.Equal(7, log.Numbers.Count);
    }

    private sealed class EventLog : ILogger<RelayFaults>
    {
        public List<int> Numbers { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Numbers.Add(eventId.Id);
    }
}
