using CloudPeer.Architecture.Tests.Sources;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>A reader finds the way in by reading <c>docs/ARCHITECTURE.md</c>, so it knows every room.</summary>
public static class ArchitectureMap
{
    /// <summary>Projects of <c>src</c> and folders directly below them that the map does not mention.</summary>
    public static IEnumerable<string> Unmentioned(SourceText map, IEnumerable<SourceText> files)
    {
        var inside = files.Where(file => file.Area is "src").ToList();
        var projects = inside.Select(file => file.Project).Distinct(StringComparer.Ordinal);
        var folders = inside.Where(file => file.Folder.Length > 0 && file.Folder is not "Properties").Select(file => $"{file.Folder}/").Distinct(StringComparer.Ordinal);
        return projects.Concat(folders).Where(name => !map.Text.Contains(name, StringComparison.Ordinal)).Select(name => $"{map.Path}: {name} is not mentioned");
    }
}
