using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Grpc.Net.Client;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>The program as an operator runs it.</summary>
public sealed class ProcessTests(PostgresFixture postgres)
{
    private const string Ready = @"^cloudpeer ready http=(\S+) grpc=(\S+) peer=(peer_[a-z2-7]{52})$";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task After_kill_9_the_server_is_the_same_one_and_has_what_it_acknowledged(StoreKind store)
    {
        using var folder = new TempFolder("process");
        var spec = Server(folder).With("CLOUDPEER_DATABASE_URL", store == StoreKind.Postgres ? (await postgres.CreateDatabaseAsync(Cancel)).Url : null);
        using var device = SigningKey.Generate(SystemEntropy.Instance);
        using var kem = KemKey.Generate(SystemEntropy.Instance);
        var card = TestDevice.MakeCard(SystemEntropy.Instance, device, kem, 1);
        var document = new DocumentBuilder(SystemEntropy.Instance, device);
        string peer;
        V1.PushResponse receipts;
        await using (var first = ServerProcess.Start(spec))
        {
            var ready = await first.WaitForLineAsync(Ready, Cancel);
            peer = ready.Groups[3].Value;
            using var channel = GrpcChannel.ForAddress(ready.Groups[2].Value);
            var options = await SessionAsync(channel, device);
            await new V1.Account.AccountClient(channel).CreateAsync(new() { Card = card.Bytes.ToWire() }, options);
            receipts = await PushAsync(channel, document, options);
            first.Kill9();
            await first.WaitForExitAsync(Cancel);
        }

        await using var second = ServerProcess.Start(spec);
        var again = await second.WaitForLineAsync(Ready, Cancel);
        using var reconnected = GrpcChannel.ForAddress(again.Groups[2].Value);
        var repeated = await PushAsync(reconnected, document, await SessionAsync(reconnected, device));
        await second.TerminateAsync(Cancel);
        var result = await second.WaitForExitAsync(Cancel);

        Assert.Equal(peer, again.Groups[3].Value);
        Assert.Single(receipts.Results[0].Receipts);
        Assert.Equal(receipts, repeated);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal([again.Value], result.OutputLines);
    }

    [Fact]
    public async Task Sigterm_tells_streams_to_come_back_before_their_connection_closes()
    {
        using var folder = new TempFolder("process");
        using var device = SigningKey.Generate(SystemEntropy.Instance);
        await using var server = ServerProcess.Start(Server(folder));
        var ready = await server.WaitForLineAsync(Ready, Cancel);
        using var channel = GrpcChannel.ForAddress(ready.Groups[2].Value);
        using var stream = new V1.Sync.SyncClient(channel).Stream(await SessionAsync(channel, device));
        await stream.RequestStream.WriteAsync(new() { Request = 1 }, Cancel);
        Assert.True(await stream.ResponseStream.MoveNext(Cancel));

        await server.TerminateAsync(Cancel);
        Refused.AssertToldToComeBack([await Refused.RefusalAsync(() => stream.ResponseStream.MoveNext(Cancel))]);
        Assert.Equal(0, (await server.WaitForExitAsync(Cancel)).ExitCode);
    }

    [Fact]
    public async Task The_data_folder_and_everything_in_it_is_private_and_told_at_the_start()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix file modes.");
            return;
        }

        using var folder = new TempFolder("process");
        await using var server = ServerProcess.Start(Server(folder));
        await server.WaitForLineAsync(Ready, Cancel);

        var data = folder.File("data");
        await server.WaitForErrorLineAsync(Regex.Escape(data), Cancel);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data));
        var files = Directory.GetFiles(data);
        Assert.Contains(files, file => file.EndsWith("relay.db", StringComparison.Ordinal));
        foreach (var file in files) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_and_the_first_goes_on()
    {
        using var folder = new TempFolder("process");
        await using var first = ServerProcess.Start(Server(folder));
        var ready = await first.WaitForLineAsync(Ready, Cancel);

        var second = await ProcessRunner.RunAsync(Server(folder), Cancel);

        AssertFails(second, 1, "busy", "another server uses the data folder");
        using var http = new HttpClient();
        Assert.NotEmpty(await http.GetStringAsync(ready.Groups[1].Value + "/health/ready", Cancel));
    }

    [Fact]
    public async Task A_generation_begins_only_when_it_is_confirmed_and_no_server_runs()
    {
        using var folder = new TempFolder("process");
        AssertFails(await ProcessRunner.RunAsync(Server(folder, "generation", "begin"), Cancel), 2, "bad-argument", "--yes");
        var begun = await ProcessRunner.RunAsync(Server(folder, "generation", "begin", "--yes", "--json"), Cancel);
        Assert.Equal((0, ""), (begun.ExitCode, begun.StandardError));
        using var json = JsonDocument.Parse(begun.StandardOutput);
        Assert.Equal(0, json.RootElement.GetProperty("documents").GetInt32());
        Assert.True(json.RootElement.GetProperty("generation").GetUInt32() > 0);

        await using var server = ServerProcess.Start(Server(folder));
        await server.WaitForLineAsync(Ready, Cancel);
        AssertFails(await ProcessRunner.RunAsync(Server(folder, "generation", "begin", "--yes"), Cancel), 1, "busy", "stop it first");
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var folder = new TempFolder("process");
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        var result = await ProcessRunner.RunAsync(Server(folder).With("CLOUDPEER_HTTP_PORT", port), Cancel);

        AssertFails(result, 1, "busy", port);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_named()
    {
        using var folder = new TempFolder("process");
        await File.WriteAllTextAsync(folder.File("file"), "", Cancel);

        var result = await ProcessRunner.RunAsync(Server(folder).With("CLOUDPEER_DATA_DIR", folder.File("file", "data")), Cancel);

        AssertFails(result, 1, "input-output", folder.File("file", "data"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cloudpeer identity, version 1.\nseed aaaa\npeer_aaaa\n")]
    public async Task A_damaged_identity_is_told_and_never_replaced(string content)
    {
        using var folder = new TempFolder("process");
        var path = Path.Combine(folder.Folder("data"), "identity.key");
        await File.WriteAllTextAsync(path, content, Cancel);

        var result = await ProcessRunner.RunAsync(Server(folder), Cancel);

        AssertFails(result, 1, "malformed", "identity.key is damaged");
        Assert.Equal(content, await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public async Task A_lost_identity_is_told_and_never_replaced()
    {
        using var folder = new TempFolder("process");
        await File.WriteAllTextAsync(Path.Combine(folder.Folder("data"), "relay.db"), "", Cancel);

        AssertFails(await ProcessRunner.RunAsync(Server(folder), Cancel), 1, "malformed", "identity.key is missing");
        Assert.False(File.Exists(folder.File("data", "identity.key")));
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_is_told_without_its_password()
    {
        using var folder = new TempFolder("process");
        var url = $"postgres://user:hunter2@127.0.0.1:{FreePort.Next()}/name";

        var result = await ProcessRunner.RunAsync(Server(folder).With("CLOUDPEER_DATABASE_URL", url), Cancel);

        AssertFails(result, 1, "unavailable", "CLOUDPEER_DATABASE_URL");
        Assert.DoesNotContain("hunter2", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_server_is_refused()
    {
        using var folder = new TempFolder("process");
        var url = (await postgres.CreateDatabaseAsync(Cancel)).Url;
        await using (var first = ServerProcess.Start(Server(folder).With("CLOUDPEER_DATABASE_URL", url)))
            await first.WaitForLineAsync(Ready, Cancel);
        var other = Server(folder).With("CLOUDPEER_DATABASE_URL", url).With("CLOUDPEER_DATA_DIR", folder.File("other"));

        AssertFails(await ProcessRunner.RunAsync(other, Cancel), 1, "wrong-server", "restore identity.key");
    }

    [Theory]
    [InlineData("nonsense", "nonsense")]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("@nonsense", "@nonsense")]
    [InlineData("config", "command")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(string argument, string told)
    {
        using var folder = new TempFolder("process");

        AssertFails(await ProcessRunner.RunAsync(Server(folder, argument), Cancel), 2, "bad-argument", told);
        Assert.False(Directory.Exists(folder.File("data")));
    }

    [Theory]
    [InlineData]
    [InlineData("config", "validate")]
    public async Task Wrong_settings_are_told_at_once_on_one_line(params string[] arguments)
    {
        using var folder = new TempFolder("process");
        var spec = Server(folder, arguments).With("CLOUDPEER_HTTP_PORT", "x").With("CLOUDPEER_BIND", "y");

        var result = await ProcessRunner.RunAsync(spec, Cancel);

        AssertFails(result, 2, "bad-argument", "CLOUDPEER_HTTP_PORT is 'x'");
        AssertFails(result, 2, "bad-argument", "CLOUDPEER_BIND is 'y'");
    }

    [Fact]
    public async Task Config_shows_values_and_origins_and_no_password()
    {
        using var folder = new TempFolder("process");
        await File.WriteAllTextAsync(folder.File("appsettings.json"), """{"CloudPeer":{"Name":"from file"}}""", Cancel);
        var spec = Server(folder, "config", "show", "--json").With("CLOUDPEER_DATABASE_URL", "postgres://u:hunter2@h/n").With("CloudPeer__Billing", "off");

        var result = (await ProcessRunner.RunAsync(spec, Cancel)).EnsureSuccess();

        var shown = result.OutputLines.Select(line => JsonSerializer.Deserialize<Dictionary<string, string>>(line)!)
            .ToDictionary(row => row["setting"], row => (row["value"], row["origin"]), StringComparer.Ordinal);
        Assert.Equal(("postgres://u:***@h/n", "environment CLOUDPEER_DATABASE_URL"), shown["CLOUDPEER_DATABASE_URL"]);
        Assert.Equal(("from file", "file appsettings.json CloudPeer:Name"), shown["CLOUDPEER_NAME"]);
        Assert.Equal(("off", "environment CloudPeer__Billing"), shown["CLOUDPEER_BILLING"]);
        Assert.Equal(("information", "default"), shown["CLOUDPEER_LOG_LEVEL"]);
        Assert.DoesNotContain("hunter2", result.StandardOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Healthcheck_and_version_answer_with_exit_codes()
    {
        using var folder = new TempFolder("process");
        var port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        var check = Server(folder, "healthcheck").With("CLOUDPEER_HTTP_PORT", port);
        AssertFails(await ProcessRunner.RunAsync(check, Cancel), 1, "unreachable", port);
        await using var server = ServerProcess.Start(Server(folder).With("CLOUDPEER_HTTP_PORT", port));
        await server.WaitForLineAsync(Ready, Cancel);

        (await ProcessRunner.RunAsync(check, Cancel)).EnsureSuccess();
        var version = (await ProcessRunner.RunAsync(Server(folder, "version", "--json"), Cancel)).EnsureSuccess();
        using var json = JsonDocument.Parse(version.StandardOutput);
        Assert.Equal(1, json.RootElement.GetProperty("protocolMax").GetInt32());
        var help = (await ProcessRunner.RunAsync(Server(folder, "--help"), Cancel)).EnsureSuccess();
        Assert.Contains("healthcheck", help.StandardOutput, StringComparison.Ordinal);
    }

    private static ProcessSpec Server(TempFolder folder, params IEnumerable<string> arguments) =>
        (ProcessSpec.Dotnet(RepositoryRoot.BuiltAssembly("src/CloudPeer.Api"), arguments) with { WorkingDirectory = folder.Path })
        .With("CLOUDPEER_HTTP_PORT", "0").With("CLOUDPEER_GRPC_PORT", "0");

    private static void AssertFails(ProcessResult result, int exitCode, string reason, string told)
    {
        Assert.Equal((exitCode, ""), (result.ExitCode, result.StandardOutput));
        var line = Assert.Single(result.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.StartsWith('{'));
        Assert.Matches($@"^cloudpeer: .+ \[{reason}\]$", line);
        Assert.Contains(told, line, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.StandardError, StringComparison.Ordinal);
    }

    private static async Task<CallOptions> SessionAsync(GrpcChannel channel, SigningKey device)
    {
        var session = await SessionCalls.OpenAsync(new(channel), device, null, SystemEntropy.Instance, TimeProvider.System, new(cancellationToken: Cancel));
        return new(session.Metadata, cancellationToken: Cancel);
    }

    private static async Task<V1.PushResponse> PushAsync(GrpcChannel channel, DocumentBuilder document, CallOptions options)
    {
        var bundle = new V1.Bundle { Envelopes = { document.Genesis.Bytes.ToWire() } };
        return await new V1.Sync.SyncClient(channel).PushAsync(new() { Document = document.Id.ToWire(), Bundles = { bundle } }, options);
    }
}
