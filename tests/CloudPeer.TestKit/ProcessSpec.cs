namespace CloudPeer.TestKit;

/// <summary>What to run and how. Variables named <c>CLOUDPEER_*</c> and <c>TLFS_*</c> are never inherited: a developer's own settings must not change a test.</summary>
/// <param name="FileName">A path, or a name that is looked up in <c>PATH</c>.</param>
/// <param name="Arguments">The arguments, each passed on as it is (no shell).</param>
public sealed record ProcessSpec(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>Variables set for the child; a null value removes an inherited one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>The child's current folder; null is the caller's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Text for standard input, which is then closed; null gives an empty input in <see cref="ProcessRunner"/> and an open one in <see cref="ServerProcess"/>.</summary>
    public string? Input { get; init; }

    /// <summary>How long <see cref="ProcessRunner"/> waits for the end and <see cref="ServerProcess"/> for a line.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Runs a framework-dependent assembly with the <c>dotnet</c> that runs this test.</summary>
    /// <param name="assembly">The path of the <c>.dll</c>, e.g. from <see cref="RepositoryRoot.BuiltAssembly"/>.</param>
    /// <param name="arguments">The program's arguments.</param>
    public static ProcessSpec Dotnet(string assembly, params IEnumerable<string> arguments) =>
        new(DotnetHost(), ["exec", assembly, .. arguments]);

    /// <summary>This specification with one more variable for the child.</summary>
    /// <param name="name">The variable's name.</param>
    /// <param name="value">Its value; null removes it.</param>
    public ProcessSpec With(string name, string? value) =>
        this with { Environment = new Dictionary<string, string?>(Environment, StringComparer.Ordinal) { [name] = value } };

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', [FileName, .. Arguments]);

    private static string DotnetHost()
    {
        var own = System.Environment.ProcessPath;
        if (own is not null && string.Equals(Path.GetFileNameWithoutExtension(own), "dotnet", StringComparison.OrdinalIgnoreCase))
            return own;

        return System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";
    }
}
