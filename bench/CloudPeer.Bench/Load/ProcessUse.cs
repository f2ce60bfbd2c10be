using System.Globalization;

namespace CloudPeer.Bench.Load;

/// <summary>What processes have used so far, as <c>/proc</c> tells; zeros where there is none.</summary>
/// <param name="CpuSeconds">Processor time, with that of children that have ended.</param>
/// <param name="ResidentBytes">Resident memory now.</param>
/// <param name="PeakBytes">The most resident memory since <see cref="ResetPeak"/>.</param>
internal readonly record struct ProcessUse(double CpuSeconds, long ResidentBytes, long PeakBytes)
{
    private const double TicksPerSecond = 100;

    /// <summary>The use of one process.</summary>
    public static ProcessUse Of(int process) => new(Cpu(process), Kilobytes(process, "status", "VmRSS:"), Kilobytes(process, "status", "VmHWM:"));

    /// <summary>The use of several that share nothing, all together.</summary>
    public static ProcessUse OfEach(IEnumerable<int> processes) => processes.Select(Of).Aggregate(
        default(ProcessUse), (all, one) => new(all.CpuSeconds + one.CpuSeconds, all.ResidentBytes + one.ResidentBytes, all.PeakBytes + one.PeakBytes));

    /// <summary>The use of several that share memory: each page counts once, in parts. There is no peak.</summary>
    public static ProcessUse OfAll(IEnumerable<int> processes)
    {
        var (cpu, bytes) = (0.0, 0L);
        foreach (var process in processes)
        {
            cpu += Cpu(process);
            bytes += Kilobytes(process, "smaps_rollup", "Pss:");
        }

        return new(cpu, bytes, 0);
    }

    /// <summary>Lets the peak begin again at what is resident now.</summary>
    public static void ResetPeak(int process)
    {
        try
        {
            File.WriteAllText($"/proc/{process}/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else's process: the peak is that since its start.
        }
    }

    /// <summary>A process's descendants with this name.</summary>
    public static IReadOnlyList<int> Descendants(int ancestor, string name)
    {
        if (!Directory.Exists("/proc/self")) return [];
        var parents = new Dictionary<int, int>();
        var named = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            if (Stat(process) is not { } stat) continue;
            parents[process] = int.Parse(stat.Fields[1], CultureInfo.InvariantCulture);
            if (string.Equals(stat.Name, name, StringComparison.Ordinal)) named.Add(process);
        }

        return [.. named.Where(IsBelow)];

        bool IsBelow(int process)
        {
            while (parents.TryGetValue(process, out process)) if (process == ancestor) return true;
            return false;
        }
    }

    // utime, stime, cutime, cstime
    private static double Cpu(int process) =>
        Stat(process) is { } stat ? stat.Fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) / TicksPerSecond : 0;

    // proc(5): the fields after the name, which is in brackets and may hold anything.
    private static (string Name, string[] Fields)? Stat(int process)
    {
        if (Read(process, "stat") is not { } text) return null;
        var (open, close) = (text.IndexOf('(', StringComparison.Ordinal), text.LastIndexOf(')'));
        return (text[(open + 1)..close], text[(close + 2)..].Split(' '));
    }

    private static long Kilobytes(int process, string file, string name)
    {
        var line = Read(process, file)?.Split('\n').FirstOrDefault(each => each.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }

    private static string? Read(int process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
