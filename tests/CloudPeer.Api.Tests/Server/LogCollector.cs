using System.Collections.Concurrent;
using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>Keeps what a server logs. A test over which something unexpected was logged fails.</summary>
internal sealed class LogCollector : ILogEventSink
{
    private readonly ConcurrentQueue<(LogEventLevel Level, string Text)> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines.Select(line => line.Text)];

    public void Emit(LogEvent logEvent) => _lines.Enqueue((logEvent.Level, $"{logEvent.RenderMessage(CultureInfo.InvariantCulture)} {logEvent.Exception}"));

    /// <summary>The errors so far, which the test has expected.</summary>
    public IReadOnlyList<string> TakeErrors()
    {
        var all = new List<(LogEventLevel Level, string Text)>();
        while (_lines.TryDequeue(out var line)) all.Add(line);
        foreach (var line in all.Where(line => line.Level < LogEventLevel.Error)) _lines.Enqueue(line);
        return [.. all.Where(line => line.Level >= LogEventLevel.Error).Select(line => line.Text)];
    }

    public void AssertNoErrors() => Assert.Empty(_lines.Where(line => line.Level >= LogEventLevel.Error).Select(line => line.Text));
}
