using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CloudPeer.TestKit;
using Microsoft.Data.Sqlite;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>What can go wrong between a replica and a server: one clear line each, nothing lost, and what was edited meanwhile arrives later.</summary>
public sealed class TroubleTests
{
    private const string Edit = """{"op":"set","path":".title","value":"written meanwhile"}""";
    private static readonly TimeSpan PatienceForADeadAddress = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task ADeadAddress_IsRefusedWithinFiveSeconds()
    {
        using var person = await Person.ReadyAsync();
        var started = Stopwatch.GetTimestamp();
        (await person.RunAsync("cloudpeer", "add", $"http://localhost:{FreePort.Next()}")).Failed("unreachable");
        Assert.True(Stopwatch.GetElapsedTime(started) < PatienceForADeadAddress);
        Assert.Empty((await person.JsonAsync("cloudpeer", "list")).Done().Output);
    }

    [Fact]
    public async Task AnAddressThatAcceptsAndSaysNothing_IsRefusedWithinFiveSeconds()
    {
        using var person = await Person.ReadyAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var started = Stopwatch.GetTimestamp();
        (await person.RunAsync("cloudpeer", "add", $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}")).Failed("unreachable");
        Assert.True(Stopwatch.GetElapsedTime(started) < PatienceForADeadAddress + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task AnAddressOfSomethingElse_IsSaid()
    {
        using var person = await Person.ReadyAsync();
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        var answering = AnswerAsync(web);
        (await person.RunAsync("cloudpeer", "add", $"http://127.0.0.1:{((IPEndPoint)web.LocalEndpoint).Port}")).Failed("not-a-cloudpeer");
        web.Stop();
        await answering;
    }

    [Fact]
    public async Task AServerThatIsAway_LosesNothing()
    {
        await using var server = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        await server.KillAsync();

        (await pair.Bob.EditAsync(pair.Document, Edit)).Done();
        var failed = (await pair.Bob.JsonAsync("sync", "--timeout", "2")).Failed("unreachable");
        var line = Assert.Single(failed.JsonLines);
        Assert.Equal("unreachable", line.GetProperty("error").GetString());
        Assert.Equal(1, line.GetProperty("unsent").GetInt32());
        Assert.Equal(1, (await pair.Bob.JsonAsync("status")).Json.GetProperty("unsent").GetInt32());

        await server.StartAgainAsync();
        await pair.SyncAsync();
        await pair.AssertEqualAsync();
        Assert.Equal("\"written meanwhile\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));
        var status = (await pair.Bob.JsonAsync("status")).Json;
        Same.FirstMembers(status, "doc", "url", "lastConfirmed", "unsent", "refused", "used", "quota");
        Assert.Equal(0, status.GetProperty("unsent").GetInt32());
        Assert.NotNull(status.GetProperty("lastConfirmed").GetString());
    }

    [Fact]
    public async Task AServerThatIsAway_IsSaid_EvenWithoutADocument()
    {
        await using var server = await Server.StartAsync();
        using var person = await Person.ReadyAsync();
        (await person.RunAsync("cloudpeer", "add", server.Url)).Done();
        Assert.Contains("tlfs doc create", (await person.RunAsync("sync")).Done().Output, StringComparison.Ordinal);
        await server.KillAsync();
        Assert.Empty((await person.RunAsync("sync", "--timeout", "2")).Failed("unreachable").Output);
    }

    [Fact]
    public async Task AServerWithoutADocumentThatIsAway_IsSaid_BesideTheOthers()
    {
        await using var server = await Server.StartAsync();
        await using var second = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        (await pair.Bob.RunAsync("cloudpeer", "add", second.Url)).Done();
        await second.KillAsync();

        var lines = (await pair.Bob.JsonAsync("sync", "--timeout", "2")).Failed("unreachable").JsonLines;
        Assert.Equal([pair.Document, null], lines.Select(line => line.GetProperty("doc").GetString()), StringComparer.Ordinal);
        Assert.Equal([null, "unreachable"], lines.Select(line => line.GetProperty("error").GetString()), StringComparer.Ordinal);
        Assert.Equal(second.Url, lines[1].GetProperty("url").GetString());
        Assert.Contains($"{second.Url}  [unreachable]", (await pair.Bob.RunAsync("sync", "--timeout", "2")).Failed("unreachable").Lines, StringComparer.Ordinal);
    }

    [Fact]
    public async Task AnotherAddressOfACloudpeer_ReplacesTheFirst_AndThatIsSaid()
    {
        await using var server = await Server.StartAsync();
        using var person = await Person.ReadyAsync();
        (await person.RunAsync("cloudpeer", "add", server.Url)).Done();
        var port = new Uri(server.Url).Port;
        string[] names = [$"http://localhost:{port}", $"http://127.0.0.1:{port}"];
        var other = names.First(name => !string.Equals(name, server.Url, StringComparison.Ordinal));

        var added = (await person.JsonAsync("cloudpeer", "add", other)).Json;
        Assert.Equal((other, server.Url), (added.GetProperty("url").GetString(), added.GetProperty("replaced").GetString()));
        Assert.Equal(other, (await person.JsonAsync("cloudpeer", "list")).Text("url"));
        var back = (await person.RunAsync("cloudpeer", "add", server.Url)).Done();
        Assert.Contains($"{server.Url} replaces {other}: it is the same cloudpeer.", back.Lines, StringComparer.Ordinal);
    }

    [Fact]
    public async Task AnInboxThatCannotBeRead_IsSaid_AndTheDocumentsAreSent()
    {
        await using var server = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        await server.KillAsync();
        await using (var accounts = new SqliteConnection($"Data Source={Path.Combine(server.DataFolder, "accounts.db")};Pooling=False"))
        {
            // As if both accounts were other devices' now.
            await accounts.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = accounts.CreateCommand();
            command.CommandText = "UPDATE tenant SET device = randomblob(32)";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await server.StartAgainAsync();
        (await pair.Bob.EditAsync(pair.Document, Edit)).Done();
        var line = Assert.Single((await pair.Bob.JsonAsync("sync")).Failed("not-found").JsonLines);
        Assert.Equal(("not-found", 1, 0), (line.GetProperty("inbox").GetString(), line.GetProperty("pushed").GetInt32(), line.GetProperty("unsent").GetInt32()));
    }

    [Fact]
    public async Task AnInvitation_WaitsForTheServer()
    {
        await using var server = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        using var carol = await Person.ReadyAsync("carol");
        (await carol.RunAsync("cloudpeer", "add", server.Url)).Done();
        var account = (await carol.JsonAsync("id")).Text("account");
        (await pair.Anna.RunAsync("grant", pair.Document, account, "read")).Done();
        await server.KillAsync();
        (await pair.Anna.RunAsync("invite", pair.Document, account)).Done();
        (await pair.Anna.RunAsync("sync", "--timeout", "2")).Failed("unreachable");

        await server.StartAgainAsync();
        (await pair.Anna.RunAsync("sync")).Done();
        await Pair.AcceptAsync(carol);
    }

    [Fact]
    public async Task AnotherServerAtTheSameAddress_IsNotTrusted()
    {
        await using var server = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        (await pair.Bob.EditAsync(pair.Document, Edit)).Done();
        await server.KillAsync();
        await using (await server.StartImpostorAsync())
        {
            var refused = (await pair.Bob.JsonAsync("sync", "--timeout", "5")).Failed("wrong-server");
            Assert.Equal("wrong-server", Assert.Single(refused.JsonLines).GetProperty("error").GetString());
        }

        await server.StartAgainAsync();
        await pair.SyncAsync();
        await pair.AssertEqualAsync();
        Assert.Equal("\"written meanwhile\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));
    }

    [Fact]
    public async Task AFullAccount_NamesWhatItRefused_AndResumes()
    {
        await using var server = await Server.StartAsync(("CLOUDPEER_LOCAL_PLAN_BYTES", "100000"));
        using var pair = await Pair.ShareAsync(server);
        var edit = $$"""{"op":"set","path":".title","value":"{{new string('x', 100_000)}}"}""";
        (await pair.Anna.EditAsync(pair.Document, edit)).Done();

        var refused = (await pair.Anna.JsonAsync("sync", "--timeout", "5")).Failed("quota-exceeded");
        var line = Assert.Single(refused.JsonLines);
        Assert.Equal(1, line.GetProperty("unsent").GetInt32());
        var envelope = Assert.Single(line.GetProperty("refused").EnumerateArray());
        Assert.Equal("quota-exceeded", envelope.GetProperty("reason").GetString());
        Assert.StartsWith("env_", envelope.GetProperty("envelope").GetString(), StringComparison.Ordinal);
        Assert.Equal(("storage", 100_000UL), (envelope.GetProperty("resource").GetString(), envelope.GetProperty("limit").GetUInt64()));
        var status = (await pair.Anna.JsonAsync("status")).Json;
        Assert.Equal(envelope.GetProperty("used").GetUInt64(), status.GetProperty("used").GetUInt64());
        Assert.Equal(pair.Document, Assert.Single(status.GetProperty("largest").EnumerateArray()).GetProperty("doc").GetString());
        Assert.Contains("filled by: doc_", (await pair.Anna.RunAsync("status")).Done().Output, StringComparison.Ordinal);

        await server.KillAsync();
        await server.StartAgainAsync(("CLOUDPEER_LOCAL_PLAN_BYTES", "0"));
        await pair.SyncAsync();
        await pair.AssertEqualAsync();
    }

    [Fact]
    public async Task AnAccountThatIsHeld_IsSaid_AlsoWithoutAQuota_AndCanBeMoved_AndTheServerIsNamed()
    {
        await using var server = await Server.StartAsync();
        await using var to = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        var account = (await pair.Anna.JsonAsync("id")).Text("account");
        await server.KillAsync();
        await server.RunAsync("user", "hold", account, "--state", "read-only");
        await server.StartAgainAsync();
        (await pair.Anna.RunAsync("sync")).Done();

        Assert.Contains($"{server.Url}  your account is read-only there", (await pair.Anna.RunAsync("status")).Done().Lines, StringComparer.Ordinal);
        Assert.Equal("read-only", (await pair.Anna.JsonAsync("status")).Text("state"));

        var moved = (await pair.Anna.RunAsync("cloudpeer", "move", server.Url, to.Url)).Done();
        Assert.Contains($"tlfs cloudpeer add {server.Url} --doc {pair.Document}", moved.Output, StringComparison.Ordinal);
        Assert.Contains("still-open, ", moved.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("proven, ", moved.Output, StringComparison.Ordinal);
        var result = (await pair.Anna.JsonAsync("cloudpeer", "move", server.Url, to.Url)).Json;
        Assert.False(result.GetProperty("verified").GetBoolean());
        Assert.Equal([pair.Document], result.GetProperty("stillOpen").EnumerateArray().Select(each => each.GetString()), StringComparer.Ordinal);
        Assert.Empty(result.GetProperty("waiting").EnumerateArray());
    }

    [Fact]
    public async Task ACloudpeerThatIsRemovedAndNotTold_IsSaid_WithWhatToDo()
    {
        await using var server = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(server);
        await server.KillAsync();
        var removed = (await pair.Anna.RunAsync("cloudpeer", "remove", server.Url)).Done();
        var again = $"tlfs cloudpeer add {server.Url} --doc {pair.Document}";
        Assert.Contains(again, removed.Output, StringComparison.Ordinal);

        await server.StartAgainAsync();
        (await pair.Anna.RunAsync(again.Split(' ')[1..])).Done();
        var told = (await pair.Anna.JsonAsync("cloudpeer", "remove", server.Url)).Json;
        Assert.Equal(server.Url, told.GetProperty("url").GetString());
        Assert.Empty(told.GetProperty("untold").EnumerateArray());
    }

    [Fact]
    public async Task DeletingEverywhere_GivesTheRoomBack_AndAsksFirst()
    {
        await using var server = await Server.StartAsync(("CLOUDPEER_LOCAL_PLAN_BYTES", "1000000"));
        using var pair = await Pair.ShareAsync(server);
        await pair.SyncAsync();
        var used = (await pair.Anna.JsonAsync("status")).Json.GetProperty("used").GetUInt64();
        (await pair.Anna.RunAsync("doc", "delete", pair.Document, "--everywhere")).Failed("bad-argument");

        var deleted = (await pair.Anna.JsonAsync("doc", "delete", pair.Document, "--everywhere", "--yes")).Json;
        Same.FirstMembers(deleted, "doc", "freed");
        Assert.Equal((pair.Document, used), (deleted.GetProperty("doc").GetString(), deleted.GetProperty("freed").GetUInt64()));
        (await pair.Anna.RunAsync("doc", "show", pair.Document)).Failed("document-not-found");
        Assert.Equal(0UL, (await pair.Anna.JsonAsync("cloudpeer", "list")).Json.GetProperty("used").GetUInt64());
        (await pair.Bob.JsonAsync("sync", "--timeout", "5")).Failed("not-found");
        (await pair.Bob.RunAsync("doc", "show", pair.Document)).Done();
    }

    private static async Task AnswerAsync(TcpListener web)
    {
        try
        {
            while (true)
            {
                using var client = await web.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, leaveOpen: true);
                while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 })
                {
                    // The request's lines up to the empty one.
                }

                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"u8.ToArray(), TestContext.Current.CancellationToken);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // The listener was stopped, or the client hung up.
        }
    }
}
