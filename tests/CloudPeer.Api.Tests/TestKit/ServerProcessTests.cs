using System.Net;
using System.Net.Sockets;
using CloudPeer.TestKit;
using Xunit;

namespace CloudPeer.Api.Tests.TestKit;

public sealed class ServerProcessTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_gets_arguments_variables_and_input_and_gives_output_and_exit_code()
    {
        var spec = Shell("cat; printf 'a=%s v=%s' \"$1\" \"$GREETING\"; echo oops >&2; exit 3", "x y").With("GREETING", "hé") with { Input = "in\n" };

        var result = await ProcessRunner.RunAsync(spec, Cancel);

        Assert.Equal(new ProcessResult(3, "in\na=x y v=hé", "oops\n"), result);
        Assert.Equal(["in", "a=x y v=hé"], result.OutputLines);
        Assert.Throws<InvalidOperationException>(result.EnsureSuccess);
    }

    [Fact]
    public async Task Without_input_a_program_reads_an_empty_one()
    {
        var result = await ProcessRunner.RunAsync(Shell("cat; echo done"), Cancel);

        Assert.Equal("done\n", result.EnsureSuccess().StandardOutput);
    }

    [Fact]
    public async Task A_program_that_does_not_end_is_killed_and_its_output_is_in_the_error()
    {
        var spec = Shell("echo started; exec sleep 1000") with { Timeout = TimeSpan.FromSeconds(1) };

        var error = await Assert.ThrowsAsync<TimeoutException>(() => ProcessRunner.RunAsync(spec, Cancel));

        Assert.Contains("started", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_is_found_whether_it_was_written_before_or_after_the_wait()
    {
        await using var process = ServerProcess.Start(Shell("echo ready port=17; read answer; echo got $answer; read forever"));

        var first = await process.WaitForLineAsync(@"^ready port=(\d+)$", Cancel);
        var later = process.WaitForLineAsync("^got (.*)$", Cancel);
        await process.WriteLineAsync("hello", Cancel);

        Assert.Equal("17", first.Groups[1].Value);
        Assert.Equal("hello", (await later).Groups[1].Value);
        Assert.Equal("17", (await process.WaitForLineAsync(@"^ready port=(\d+)$", Cancel)).Groups[1].Value);
    }

    [Fact]
    public async Task Waiting_for_a_line_fails_with_the_output_when_the_program_ends()
    {
        await using var process = ServerProcess.Start(Shell("echo no such setting >&2; exit 1"));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => process.WaitForLineAsync("^ready", Cancel));

        Assert.Contains("ended without a line", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kill9_ends_a_program_that_ignores_everything_else()
    {
        await using var process = ServerProcess.Start(Shell("trap '' TERM INT HUP; echo ready; read forever"));
        await process.WaitForLineAsync("^ready$", Cancel);

        process.Kill9();

        Assert.Equal(128 + 9, (await process.WaitForExitAsync(Cancel)).ExitCode);
    }

    [Fact]
    public async Task Terminate_lets_a_program_clean_up()
    {
        await using var process = ServerProcess.Start(Shell("trap 'echo bye; exit 0' TERM; echo ready; read forever"));
        await process.WaitForLineAsync("^ready$", Cancel);

        await process.TerminateAsync(Cancel);
        process.CloseInput();

        var result = await process.WaitForExitAsync(Cancel);
        Assert.Equal("ready\nbye\n", result.StandardOutput);
    }

    [Fact]
    public void A_temporary_folder_is_private_and_deleted()
    {
        string path;
        using (var folder = new TempFolder())
        {
            path = folder.Path;
            File.WriteAllText(Path.Combine(folder.Folder("a", "b"), "file"), "text");
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        }

        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public async Task Free_ports_differ_and_are_none_that_the_system_gives_away()
    {
        var ports = FreePort.Next(5);
        Assert.Equal(5, ports.Distinct().Count());
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Cancel);
        foreach (var given in new[] { listener.LocalEndpoint, client.Client.LocalEndPoint! }) Assert.All(ports, port => Assert.True(port < ((IPEndPoint)given).Port));
    }

    [Fact]
    public void Shared_material_that_is_absent_is_null() => Assert.Null(SharedMaterial.TryFind("vectors/no-such-file.json"));

    private static ProcessSpec Shell(string script, params string[] arguments) => new("/bin/sh", ["-c", script, "sh", .. arguments]);
}
