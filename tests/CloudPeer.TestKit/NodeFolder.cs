namespace CloudPeer.TestKit;

/// <summary>JavaScript of this checkout that Node runs: a folder with a <c>package-lock.json</c> whose packages are installed.</summary>
public static class NodeFolder
{
    /// <summary>Runs a script of such a folder with the <c>node</c> that is found in <c>PATH</c>.</summary>
    /// <param name="folder">The folder from the root, e.g. <c>samples/node</c>.</param>
    /// <param name="script">The script from the folder, e.g. <c>pull.js</c>.</param>
    /// <param name="arguments">The script's arguments.</param>
    /// <exception cref="FileNotFoundException">The packages are not installed.</exception>
    public static ProcessSpec Spec(string folder, string script, params IEnumerable<string> arguments)
    {
        var path = RepositoryRoot.PathOf(folder);
        // npm writes this file last.
        var installed = Path.Combine(path, "node_modules", ".package-lock.json");
        return File.Exists(installed)
            ? new("node", [Path.Combine(path, script), .. arguments])
            : throw new FileNotFoundException($"The packages of {folder} are missing: run 'npm ci' there, or the tests with tests/run.sh, which does it.", installed);
    }
}
