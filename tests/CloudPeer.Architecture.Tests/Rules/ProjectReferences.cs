using System.Xml.Linq;
using CloudPeer.Architecture.Tests.Sources;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>
/// Which project may reference which, and which packages:
/// <code>
/// Tlfs.Core  &lt;-  CloudPeer.Sync  &lt;-  CloudPeer.Api
///                      ^---  Tlfs.Client  &lt;-  Tlfs.Cli, samples
/// </code>
/// Tests and benchmarks may reference anything.
/// </summary>
public static class ProjectReferences
{
    private static readonly Dictionary<string, string[]> Projects = new(StringComparer.Ordinal)
    {
        ["Tlfs.Core"] = [],
        ["CloudPeer.Sync"] = ["Tlfs.Core"],
        ["CloudPeer.Api"] = ["CloudPeer.Sync"],
        ["Tlfs.Client"] = ["CloudPeer.Sync"],
        ["Tlfs.Cli"] = ["Tlfs.Client"],
    };

    private static readonly string[] Sample = ["Tlfs.Client"];

    private static readonly Dictionary<string, string[]> Packages = new(StringComparer.Ordinal)
    {
        ["Tlfs.Core"] = ["Geralt", "System.Formats.Cbor"],
        ["CloudPeer.Sync"] = ["Google.Protobuf", "Grpc.Net.Client", "Grpc.Net.Client.Web", "Grpc.StatusProto", "Grpc.Tools"],
        ["CloudPeer.Api"] =
        [
            "Grpc.AspNetCore", "Grpc.AspNetCore.HealthChecks", "Grpc.AspNetCore.Server.Reflection", "Grpc.AspNetCore.Web",
            "Microsoft.Data.Sqlite", "Microsoft.EntityFrameworkCore.Sqlite", "Npgsql", "Npgsql.EntityFrameworkCore.PostgreSQL",
            "OpenTelemetry.Exporter.OpenTelemetryProtocol", "OpenTelemetry.Exporter.Prometheus.AspNetCore", "OpenTelemetry.Extensions.Hosting", "Serilog.AspNetCore",
            "System.CommandLine",
        ],
        ["Tlfs.Client"] = ["Microsoft.Data.Sqlite"],
        ["Tlfs.Cli"] = ["Spectre.Console", "System.CommandLine"],
    };

    /// <summary>References between projects that the arrows do not allow.</summary>
    public static IEnumerable<string> ForbiddenArrows(IEnumerable<SourceText> projects)
    {
        foreach (var project in projects.Where(project => project.Area is "src" or "samples"))
        {
            var allowed = project.Area is "samples" ? Sample : Projects.GetValueOrDefault(project.Project);
            if (allowed is null)
                yield return $"{project.Path}: {project.Project} has no place among the arrows yet";

            foreach (var target in References(project, "ProjectReference").Select(ProjectName).Except(allowed ?? [], StringComparer.Ordinal))
                yield return $"{project.Path}: {project.Project} must not reference {target}";
        }
    }

    /// <summary>Packages that a product project may not use; what the whole repository uses (analysers) is not asked.</summary>
    public static IEnumerable<string> ForbiddenPackages(IEnumerable<SourceText> projects) =>
        from project in projects
        where project.Area is "src"
        from package in References(project, "PackageReference")
        where !Packages.GetValueOrDefault(project.Project, []).Contains(package, StringComparer.Ordinal)
        select $"{project.Path}: {project.Project} must not use the package {package}";

    /// <summary>Projects that the solution leaves out: nobody would build, format or test them.</summary>
    public static IEnumerable<string> OutsideSolution(SourceText solution, IEnumerable<SourceText> projects) =>
        from project in projects
        where !solution.Text.Contains($"\"{project.Path.Replace('/', '\\')}\"", StringComparison.Ordinal)
        select $"{project.Path}: is not in {solution.Path} (dotnet sln add)";

    /// <summary>Projects without a lock file, whose packages could change from one build to the next.</summary>
    /// <param name="projects">The projects.</param>
    /// <param name="exists">Whether a path of the repository exists.</param>
    public static IEnumerable<string> Unlocked(IEnumerable<SourceText> projects, Func<string, bool> exists) =>
        from project in projects
        let lockFile = $"{project.Path[..project.Path.LastIndexOf('/')]}/packages.lock.json"
        where !exists(lockFile)
        select $"{lockFile}: is missing (dotnet restore makes it)";

    private static IEnumerable<string> References(SourceText project, string kind) =>
        XDocument.Parse(project.Text).Descendants(kind).Select(reference => (string?)reference.Attribute("Include")).OfType<string>();

    private static string ProjectName(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
}
