namespace CloudPeer.TestKit;

/// <summary>Where this checkout lies, and what it has built.</summary>
public static class RepositoryRoot
{
    private const string Marker = "CloudPeer.sln";

    /// <summary>The folder with <c>CloudPeer.sln</c>, found by walking up from the running test assembly.</summary>
    /// <exception cref="DirectoryNotFoundException">The test assembly does not run from inside a checkout.</exception>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds {Marker}: run the tests from a checkout.");
    }

    /// <summary>The absolute path of something in the checkout; it need not exist.</summary>
    /// <param name="relativeParts">Names below the root, outermost first.</param>
    public static string PathOf(params string[] relativeParts) => Path.Combine([Find(), .. relativeParts]);

    /// <summary>
    /// The built assembly of a project, in the configuration (Debug, Release) in which the running test assembly was built,
    /// for <see cref="ProcessSpec.Dotnet"/>.
    /// </summary>
    /// <param name="projectFolder">The project's folder from the root, e.g. <c>src/Tlfs.Cli</c>.</param>
    /// <param name="assemblyName">The assembly's name when it differs from the folder's, e.g. <c>tlfs</c>.</param>
    /// <exception cref="FileNotFoundException">The project has not been built in this configuration.</exception>
    public static string BuiltAssembly(string projectFolder, string? assemblyName = null)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var configuration = framework.Parent ?? throw new DirectoryNotFoundException("The test assembly lies in a file system's root.");
        var name = (assemblyName ?? Path.GetFileName(projectFolder)) + ".dll";
        var path = PathOf(projectFolder, "bin", configuration.Name, framework.Name, name);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"{path} is missing: build CloudPeer.sln in configuration {configuration.Name} first.", path);
    }
}
