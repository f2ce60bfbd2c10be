using System.Diagnostics;
using System.Globalization;
using CloudPeer.TestKit;

namespace CloudPeer.Bench.Load;

/// <summary>What was measured and where, so that a line still says something a year later.</summary>
internal static class Surroundings
{
    /// <summary>The checkout's commit, with a plus if files differ from it.</summary>
    public static string Commit { get; } = Git("rev-parse", "--short", "HEAD") + (Git("status", "--porcelain", "--untracked-files=no").Length > 0 ? "+" : string.Empty);

    /// <summary>The processor and how many of it.</summary>
    public static string Machine { get; } = $"{Processors()} x {Model()}";

    /// <summary>The 1-minute load; null if this system does not tell.</summary>
    public static double? Load => File.Exists("/proc/loadavg")
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        : null;

    private static string Model() => CpuInfo("model name").Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()).FirstOrDefault() ?? "unknown";

    // Not Environment.ProcessorCount, which counts those that this process may use.
    private static int Processors() => Math.Max(1, CpuInfo("processor").Count());

    private static IEnumerable<string> CpuInfo(string name) =>
        File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").Where(line => line.StartsWith(name, StringComparison.Ordinal)) : [];

    private static string Git(params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = RepositoryRoot.Find() };
        using var git = Process.Start(start);
        return git?.StandardOutput.ReadToEnd().Trim() ?? string.Empty;
    }
}
