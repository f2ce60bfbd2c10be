using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace CloudPeer.TestKit;

/// <summary>A program that keeps running while a test talks to it. Disposing kills it and its children.</summary>
/// <example><code>
/// await using var server = ServerProcess.Start(ProcessSpec.Dotnet(api).With("CLOUDPEER_DATA_DIR", data.Path));
/// var ready = await server.WaitForLineAsync(@"^cloudpeer ready http=(\S+) grpc=(\S+) peer=(\S+)$", cancellationToken);
/// server.Kill9();
/// await server.WaitForExitAsync(cancellationToken);
/// </code></example>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan RegexTimeout = TimeSpan.FromSeconds(5);
    private readonly ProcessSpec _spec;
    private readonly Process _process;
    private readonly OutputCapture _output = new();
    private readonly OutputCapture _error = new();
    private readonly Task _reading;
    private readonly Task _feeding;

    private ServerProcess(ProcessSpec spec, Process process)
    {
        _spec = spec;
        _process = process;
        _reading = Task.WhenAll(_output.ReadAsync(process.StandardOutput), _error.ReadAsync(process.StandardError));
        _feeding = spec.Input is null ? Task.CompletedTask : FeedAsync(spec.Input);
    }

    /// <summary>The operating system's process number.</summary>
    public int Id => _process.Id;

    /// <summary>True once the program has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Standard output so far.</summary>
    public string StandardOutput => _output.Text;

    /// <summary>Standard error so far.</summary>
    public string StandardError => _error.Text;

    /// <summary>Starts the program.</summary>
    /// <param name="spec">What to run; with <see cref="ProcessSpec.Input"/> null its standard input stays open for <see cref="WriteLineAsync"/>.</param>
    /// <exception cref="Win32Exception">There is no such program.</exception>
    public static ServerProcess Start(ProcessSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var process = new Process { StartInfo = StartInfo(spec) };
        try
        {
            process.Start();
            return new ServerProcess(spec, process);
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the first line of standard output, past or future, that matches.</summary>
    /// <param name="pattern">A regular expression; the line comes without its end.</param>
    /// <param name="cancellationToken">Gives up waiting; the program goes on.</param>
    /// <exception cref="TimeoutException">No such line within <see cref="ProcessSpec.Timeout"/>.</exception>
    /// <exception cref="InvalidOperationException">The program ended without such a line; the text holds what it wrote.</exception>
    public Task<Match> WaitForLineAsync(string pattern, CancellationToken cancellationToken = default) =>
        WaitForLineAsync(_output, pattern, cancellationToken);

    /// <summary>The same for standard error.</summary>
    /// <inheritdoc cref="WaitForLineAsync(string, CancellationToken)"/>
    public Task<Match> WaitForErrorLineAsync(string pattern, CancellationToken cancellationToken = default) =>
        WaitForLineAsync(_error, pattern, cancellationToken);

    /// <summary>Writes one line to the program's standard input.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <param name="cancellationToken">Gives up writing.</param>
    public async Task WriteLineAsync(string line, CancellationToken cancellationToken = default)
    {
        await _process.StandardInput.WriteAsync((line + "\n").AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Ends the program's standard input.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Ends the program at once (SIGKILL): it can neither finish a write nor clean up. Wait for its end with <see cref="WaitForExitAsync"/>.</summary>
    public void Kill9() => _process.Kill();

    /// <summary>Asks the program to end (SIGTERM), as a service manager does.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task TerminateAsync(CancellationToken cancellationToken = default)
    {
        var spec = new ProcessSpec("/bin/sh", ["-c", "kill -TERM \"$1\"", "sh", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        (await ProcessRunner.RunAsync(spec, cancellationToken)).EnsureSuccess();
    }

    /// <summary>Waits until the program has ended and all its output is read.</summary>
    /// <param name="cancellationToken">Kills the program and its children.</param>
    /// <exception cref="TimeoutException">It did not end within <see cref="ProcessSpec.Timeout"/>; it was killed; the text holds what it had written.</exception>
    public async Task<ProcessResult> WaitForExitAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_spec.Timeout);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await Task.WhenAll(_reading, _feeding).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException exception)
        {
            KillTree();
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException(Describe($"did not end within {_spec.Timeout.TotalSeconds:0} s"), exception);
        }

        return new ProcessResult(_process.ExitCode, _output.Text, _error.Text);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        KillTree();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task<Match> WaitForLineAsync(OutputCapture stream, string pattern, CancellationToken cancellationToken)
    {
        var found = stream.FindLineAsync(new Regex(pattern, RegexOptions.CultureInvariant, RegexTimeout));
        try
        {
            return await found.WaitAsync(_spec.Timeout, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException(Describe($"wrote no line like {pattern} within {_spec.Timeout.TotalSeconds:0} s"), exception);
        }
        catch (OperationCanceledException exception) when (found.IsCanceled)
        {
            throw new InvalidOperationException(Describe($"ended without a line like {pattern}"), exception);
        }
    }

    private async Task FeedAsync(string input)
    {
        try
        {
            await _process.StandardInput.WriteAsync(input.AsMemory(), CancellationToken.None);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended, or closed its input, before it had read everything: its exit code tells what that means.
        }
    }

    private void KillTree()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
    }

    private string Describe(string what) =>
        $"{_spec} {what}.\n--- standard output\n{_output.Text}\n--- standard error\n{_error.Text}";

    private static ProcessStartInfo StartInfo(ProcessSpec spec)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var info = new ProcessStartInfo(spec.FileName, spec.Arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = spec.WorkingDirectory ?? string.Empty,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = utf8,
            StandardOutputEncoding = utf8,
            StandardErrorEncoding = utf8,
        };
        foreach (var name in info.Environment.Keys.Where(IsOwnSetting).ToList())
            info.Environment.Remove(name);
        foreach (var (name, value) in spec.Environment)
            info.Environment[name] = value;
        return info;
    }

    private static bool IsOwnSetting(string name) =>
        name.StartsWith("CLOUDPEER_", StringComparison.Ordinal) || name.StartsWith("TLFS_", StringComparison.Ordinal);
}
