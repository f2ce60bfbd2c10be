namespace CloudPeer.TestKit;

/// <summary>How a finished program ended.</summary>
/// <param name="ExitCode">Its exit code; 128 plus the signal's number when a signal ended it.</param>
/// <param name="StandardOutput">Everything it wrote to standard output, byte for byte as UTF-8.</param>
/// <param name="StandardError">Everything it wrote to standard error.</param>
public sealed record ProcessResult(int ExitCode, string StandardOutput, string StandardError)
{
    /// <summary>The lines of standard output without their ends; a final newline adds no empty line.</summary>
    public IReadOnlyList<string> OutputLines =>
        StandardOutput.Length == 0 ? [] : (StandardOutput.EndsWith('\n') ? StandardOutput[..^1] : StandardOutput).Split('\n');

    /// <summary>This result, if the exit code is 0.</summary>
    /// <exception cref="InvalidOperationException">It is not 0; the text holds both outputs.</exception>
    public ProcessResult EnsureSuccess() => ExitCode == 0
        ? this
        : throw new InvalidOperationException($"Exit code {ExitCode}.\n--- standard output\n{StandardOutput}\n--- standard error\n{StandardError}");
}

/// <summary>Runs a program to its end and captures what it wrote.</summary>
/// <example><code>
/// var result = await ProcessRunner.RunAsync(ProcessSpec.Dotnet(tlfs, "--home", home.Path, "id", "--json"), cancellationToken);
/// </code></example>
public static class ProcessRunner
{
    /// <summary>Starts the program, feeds it <see cref="ProcessSpec.Input"/>, and waits for its end.</summary>
    /// <param name="spec">What to run.</param>
    /// <param name="cancellationToken">Kills the program and its children.</param>
    /// <exception cref="TimeoutException">It did not end within <see cref="ProcessSpec.Timeout"/>; it was killed; the text holds what it had written.</exception>
    public static async Task<ProcessResult> RunAsync(ProcessSpec spec, CancellationToken cancellationToken = default)
    {
        await using var process = ServerProcess.Start(spec with { Input = spec.Input ?? string.Empty });
        return await process.WaitForExitAsync(cancellationToken);
    }
}
