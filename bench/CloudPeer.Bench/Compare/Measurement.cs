using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace CloudPeer.Bench.Compare;

/// <summary>One JSON line on the standard output: what <c>bench/compare/table.mjs</c> reads.</summary>
internal sealed record Measurement(string Engine, string Work, int Tasks)
{
    private static readonly JsonSerializerOptions CamelCase = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>How long it took; null where only memory is of interest.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>Bytes on disk.</summary>
    public long? Bytes { get; init; }

    /// <summary>A <see cref="ContentHash"/> of what the engine holds now.</summary>
    public string? Hash { get; init; }

    /// <summary>The most memory that this process has held so far, as the operating system counts it.</summary>
    public long PeakMemoryBytes { get; } = PeakMemory();

    /// <summary>The engine's version.</summary>
    public string Version { get; } = typeof(Tlfs.Core.Limits).Assembly.GetName().Version?.ToString(3) ?? string.Empty;

    /// <summary>What runs it.</summary>
    public string Runtime { get; } = $".NET {Environment.Version}";

    /// <summary>The commit, if the driver says it.</summary>
    public string Commit { get; } = Environment.GetEnvironmentVariable("COMPARE_COMMIT") ?? string.Empty;

    /// <summary>The machine, if the driver says it.</summary>
    public string Machine { get; } = Environment.GetEnvironmentVariable("COMPARE_MACHINE") ?? string.Empty;

    /// <summary>Writes the line.</summary>
    public void Print() => Console.WriteLine(JsonSerializer.Serialize(this, CamelCase));

    /// <summary>Milliseconds since a timestamp of <see cref="Stopwatch"/>.</summary>
    public static double Since(long started) => Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 3);

    // The high-water mark that the kernel keeps; .NET's own is that of the last time somebody asked.
    private static long PeakMemory()
    {
        const string status = "/proc/self/status";
        if (!File.Exists(status)) return Process.GetCurrentProcess().PeakWorkingSet64;
        var line = File.ReadLines(status).First(each => each.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
