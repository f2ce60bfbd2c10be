using System.Globalization;

namespace CloudPeer.TestKit;

/// <summary>Finds the folder with PostgreSQL's server programs, which Debian keeps out of <c>PATH</c>.</summary>
internal static class PostgresBinaries
{
    private static readonly string[] Needed = ["initdb", "postgres"];

    /// <summary>The folder, newest version first, or null when this machine has none.</summary>
    public static string? TryFind() =>
        Candidates().FirstOrDefault(folder => Needed.All(program => File.Exists(Path.Combine(folder, program))));

    private static IEnumerable<string> Candidates()
    {
        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
        {
            var versions = Directory.GetDirectories(debian).OrderByDescending(Version);
            foreach (var version in versions)
                yield return Path.Combine(version, "bin");
        }

        var path = Environment.GetEnvironmentVariable("PATH") ?? string.Empty;
        foreach (var folder in path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
    }

    private static int Version(string folder) =>
        int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
