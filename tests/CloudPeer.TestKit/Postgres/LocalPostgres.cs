using System.Globalization;
using System.Security.Cryptography;

namespace CloudPeer.TestKit;

/// <summary>A PostgreSQL server started from installed programs, in a temporary folder, for this process only.</summary>
internal sealed class LocalPostgres
{
    private const string User = "cloudpeer";
    private const string SystemUser = "postgres";
    private const string Ready = "database system is ready to accept connections";
    private const int Attempts = 5;

    // The server outlives nothing: when this process ends, however it ends, its end of the pipe closes, and the guard stops the server.
    private const string Guard = "exec 3<&0; \"$@\" </dev/null & server=$!; { cat <&3; kill -INT $server; } >/dev/null 2>&1 & wait $server";

    // The postmaster, named by its file, and its children; a killed server leaves nobody who would still write.
    private const string Kill = "server=$(head -n 1 \"$1/postmaster.pid\"); children=$(pgrep -P \"$server\"); kill -KILL \"$server\" $children";

    private readonly string _binaries;
    private readonly TempFolder _folder;
    private ServerProcess _server;

    private LocalPostgres(string binaries, TempFolder folder, ServerProcess server, PostgresEndpoint endpoint)
    {
        _binaries = binaries;
        _folder = folder;
        _server = server;
        Endpoint = endpoint;
    }

    public PostgresEndpoint Endpoint { get; }

    public static async Task<LocalPostgres> StartAsync(string binaries, CancellationToken cancellationToken)
    {
        var folder = new TempFolder("postgres");
        try
        {
            var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
            await InitialiseAsync(binaries, folder, password, cancellationToken);
            for (var attempt = 1; ; attempt++)
            {
                var endpoint = new PostgresEndpoint("127.0.0.1", FreePort.Next(), User, password);
                var server = Serve(binaries, folder, endpoint);
                try
                {
                    await server.WaitForErrorLineAsync(Ready, cancellationToken);
                    return new LocalPostgres(binaries, folder, server, endpoint);
                }
                catch (InvalidOperationException) when (attempt < Attempts && server.StandardError.Contains("could not bind", StringComparison.Ordinal))
                {
                    // Somebody took the port between the search and the start: another one.
                    await server.DisposeAsync();
                }
                catch
                {
                    await server.DisposeAsync();
                    throw;
                }
            }
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Ends the server and all its processes at once (SIGKILL).</summary>
    public async Task Kill9Async(CancellationToken cancellationToken)
    {
        await RunAsync(new ProcessSpec("/bin/sh", ["-c", Kill, "sh", _folder.File("data")]), cancellationToken);
        await _server.DisposeAsync();
    }

    /// <summary>Starts a killed server again over the same data; it has recovered and accepts connections when this returns.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        _server = Serve(_binaries, _folder, Endpoint);
        await _server.WaitForErrorLineAsync(Ready, cancellationToken);
    }

    /// <summary>Stops the server and deletes its folder.</summary>
    public async ValueTask StopAsync()
    {
        try
        {
            _server.CloseInput();
            await _server.WaitForExitAsync(CancellationToken.None);
        }
        finally
        {
            await _server.DisposeAsync();
            _folder.Dispose();
        }
    }

    private static ServerProcess Serve(string binaries, TempFolder folder, PostgresEndpoint endpoint) =>
        ServerProcess.Start(AsServerUser("/bin/sh", ["-c", Guard, "sh", .. ServeCommand(binaries, folder, endpoint.Port)]));

    private static async Task InitialiseAsync(string binaries, TempFolder folder, string password, CancellationToken cancellationToken)
    {
        var passwordFile = folder.File("password");
        await File.WriteAllTextAsync(passwordFile, password, cancellationToken);
        if (Environment.IsPrivilegedProcess)
            await RunAsync(new ProcessSpec("chown", ["-R", SystemUser + ":", folder.Path]), cancellationToken);

        var initialise = AsServerUser(
            Path.Combine(binaries, "initdb"),
            ["--pgdata", folder.File("data"), "--username", User, "--auth", "scram-sha-256", "--pwfile", passwordFile, "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]);
        await RunAsync(initialise, cancellationToken);
    }

    private static string[] ServeCommand(string binaries, TempFolder folder, int port) =>
    [
        Path.Combine(binaries, "postgres"),
        "-D", folder.File("data"),
        "-p", port.ToString(CultureInfo.InvariantCulture),
        "-k", folder.Path,
        "-c", "listen_addresses=127.0.0.1",
        "-c", "max_connections=200",
    ];

    // PostgreSQL refuses to run as root; its packages make a user for it.
    private static ProcessSpec AsServerUser(string program, IReadOnlyList<string> arguments)
    {
        var spec = Environment.IsPrivilegedProcess
            ? new ProcessSpec("runuser", ["-u", SystemUser, "--", program, .. arguments])
            : new ProcessSpec(program, arguments);
        return (spec with { WorkingDirectory = "/" }).With("LC_ALL", "C").With("PGDATA", null);
    }

    private static async Task RunAsync(ProcessSpec spec, CancellationToken cancellationToken) =>
        (await ProcessRunner.RunAsync(spec, cancellationToken)).EnsureSuccess();
}
