using System.Globalization;

namespace CloudPeer.Bench.Load;

/// <summary><c>load-table FILE</c>: the lines of a file as a table for docs/performance.md.</summary>
internal static class LoadTable
{
    private const double Mebibyte = 1 << 20;

    /// <summary>Prints it; false if the arguments are none of its.</summary>
    public static bool Run(IReadOnlyList<string> arguments)
    {
        if (arguments is not [var file]) return false;
        Console.WriteLine("| work | store | envelopes/s | p50 / p95 / p99 / max, ms | CPU µs each, server + database | server memory, peak MiB | ratio | errors |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var text in File.ReadLines(file))
        {
            if (LoadLine.Read(text) is { } line) Console.WriteLine(Row(line));
        }

        return true;
    }

    private static string Row(LoadLine line)
    {
        var work = line.Variant is null ? line.Work : $"{line.Work}: {line.Variant}";
        if (line.ClientVerifyMs is { } verify) work += $"; the client verifies for {Number(verify)} ms more";
        if (line.BytesEach is { } each) work += $": {Number(each / 1024)} KiB each";
        var times = line.P50 is null ? string.Empty : string.Join(" / ", new[] { line.P50, line.P95, line.P99, line.Max }.Select(Number));
        var peak = line.ServerPeakBytes is > 0 and var bytes ? Number(bytes / Mebibyte) : string.Empty;
        return $"| {work} | {line.Store} | {Number(line.Rate)} | {times} | {Number(line.CpuMicrosEach)} | {peak} | {Number(line.Ratio)} | {line.Errors} |";
    }

    // Three digits say all that such a measurement knows.
    private static string Number(double? value) => value switch
    {
        null => string.Empty,
        >= 100 or <= -100 => value.Value.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
