namespace CloudPeer.TestKit;

/// <summary>
/// Test material that is kept beside the checkout instead of in it (large public test vectors, oracle programs). It may be
/// absent: a test that wants it passes, with a note, or skips with a reason when <see cref="TryFind"/> returns null.
/// </summary>
public static class SharedMaterial
{
    /// <summary>The environment variable that names the folder; without it the folder <c>../shared</c> of the checkout is used.</summary>
    public const string Variable = "CLOUDPEER_SHARED";

    /// <summary>The absolute path of a file or folder of the shared material, or null when it is not on this machine.</summary>
    /// <param name="relativePath">For example <c>vectors/ed25519_test.json</c>.</param>
    public static string? TryFind(string relativePath)
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        var folder = string.IsNullOrEmpty(named) ? RepositoryRoot.PathOf("..", "shared") : named;
        var path = Path.GetFullPath(Path.Combine(folder, relativePath));
        return Path.Exists(path) ? path : null;
    }
}
