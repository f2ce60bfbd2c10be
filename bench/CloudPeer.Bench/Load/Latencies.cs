using System.Diagnostics;

namespace CloudPeer.Bench.Load;

/// <summary>Times of one kind, all of them kept. Not safe for concurrent use: each task has its own, and they are joined afterwards.</summary>
internal sealed class Latencies
{
    private readonly List<long> _ticks;

    /// <summary>Without times.</summary>
    /// <param name="expected">Room for so many, so that the list does not grow while it is measured.</param>
    public Latencies(int expected = 1024) => _ticks = new(expected);

    private Latencies(List<long> sorted) => _ticks = sorted;

    /// <summary>How many.</summary>
    public int Count => _ticks.Count;

    /// <summary>One more, from a timestamp of <see cref="Stopwatch"/> to another.</summary>
    public void Add(long from, long to) => _ticks.Add(to - from);

    /// <summary>All of them, sorted.</summary>
    public static Latencies Join(IEnumerable<Latencies> parts)
    {
        List<long> all = [.. parts.SelectMany(part => part._ticks)];
        all.Sort();
        return new(all);
    }

    /// <summary>A percentile of what <see cref="Join"/> made: the smallest time that is not exceeded by so much of them, milliseconds. Null if there are none.</summary>
    public double? Percentile(double fraction)
    {
        if (_ticks.Count == 0) return null;
        var rank = (int)Math.Ceiling(fraction * _ticks.Count) - 1;
        return Math.Round(_ticks[Math.Clamp(rank, 0, _ticks.Count - 1)] * 1000.0 / Stopwatch.Frequency, 3);
    }

    /// <summary>A line with these percentiles.</summary>
    public LoadLine Fill(LoadLine line) => line with { P50 = Percentile(0.5), P95 = Percentile(0.95), P99 = Percentile(0.99), Max = Percentile(1) };
}
