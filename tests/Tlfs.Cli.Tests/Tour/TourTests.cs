using System.Text.Json;
using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>
/// The tour of the readme with the real programs, each command a process of its own: two people edit one document although they are never
/// online at the same time, through a server that is killed in between.
/// </summary>
public sealed class TourTests(PostgresFixture postgres)
{
    private const int Tasks = 20;

    [Fact]
    public async Task TwoPeopleWhoNeverMeet_OnTheEmbeddedStore()
    {
        await using var server = await Server.StartAsync();
        await WalkAsync(server);
    }

    [Fact]
    public async Task TwoPeopleWhoNeverMeet_OnPostgreSql()
    {
        var database = await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await using var server = await Server.StartAsync(("CLOUDPEER_DATABASE_URL", database.Url));
        await WalkAsync(server);
    }

    private static async Task WalkAsync(Server server)
    {
        // Bob has an account where he can be found, and goes offline.
        using var bob = Person.Real("bob");
        var bobs = (await bob.JsonAsync("init", "--name", "bob")).Text("account");
        var added = (await bob.JsonAsync("cloudpeer", "add", server.Url)).Json;
        Same.FirstMembers(added, "url", "peer", "entitlement", "signUp");
        Assert.Equal(server.Peer, added.GetProperty("peer").GetString());

        // Anna writes, grants, invites, sends, and stops.
        using var anna = await Person.ReadyAsync("anna", real: true);
        var document = await anna.NewDocumentAsync();
        (await anna.EditAsync(document, Enumerable.Range(0, Tasks).Select(Insert))).Done();
        (await anna.RunAsync("cloudpeer", "add", server.Url)).Done();
        (await anna.RunAsync("grant", document, bobs, "write")).Done();
        (await anna.RunAsync("invite", document, bobs, "--note", "our tasks")).Done();
        AssertSynced((await anna.JsonAsync("sync")).Json, document, server.Url);

        // The server dies without a warning and comes back.
        await server.KillAsync();
        await server.StartAgainAsync();

        // Only now Bob is there again.
        var invite = (await bob.JsonAsync("invites")).Json;
        Same.Members(invite, "invite", "from", "doc", "schema", "note");
        Assert.Equal("todoapp", invite.GetProperty("schema").GetString());
        Assert.Equal("our tasks", invite.GetProperty("note").GetString());
        Assert.Equal(document, (await bob.JsonAsync("accept", invite.GetProperty("invite").GetString()!)).Text("doc"));
        (await bob.RunAsync("doc", "show", document)).Failed("key-missing");
        Assert.True(AssertSynced((await bob.JsonAsync("sync")).Json, document, server.Url).GetProperty("pulled").GetInt32() > 0);
        var received = JsonElement.Parse(await bob.ShowAsync(document, ".tasks"));
        Same.Texts(Enumerable.Range(0, Tasks).Select(Title), received.EnumerateArray().Select(task => task.GetProperty("title").GetString()));

        // He edits five, removes one, sends, and stops.
        string[] edits = [.. Enumerable.Range(0, 5).Select(i => $$"""{"op":"set","path":".tasks[{{i}}].complete","value":true}"""), """{"op":"remove","path":".tasks[19]"}"""];
        (await bob.EditAsync(document, edits)).Done();
        AssertSynced((await bob.JsonAsync("sync")).Json, document, server.Url);

        // Anna comes back and sees the same, byte for byte.
        AssertSynced((await anna.JsonAsync("sync")).Json, document, server.Url);
        var seen = await anna.ShowAsync(document);
        Assert.Equal(await bob.ShowAsync(document), seen);
        var tasks = JsonElement.Parse(seen).GetProperty("tasks");
        Assert.Equal(Tasks - 1, tasks.GetArrayLength());
        Assert.Equal(5, tasks.EnumerateArray().Count(task => task.GetProperty("complete").GetBoolean()));
        foreach (var person in (Person[])[anna, bob])
        {
            Assert.Equal(0, (await person.JsonAsync("doc", "verify", document)).Json.GetProperty("problems").GetArrayLength());
            Assert.All((await person.JsonAsync("doc", "log", document)).Done().JsonLines, line => Assert.Equal("applied", line.GetProperty("status").GetString()));
        }
    }

    private static string Title(int number) => $"task {number}";

    private static string Insert(int number) => $$$"""{"op":"insert","path":".tasks","index":{{{number}}},"value":{"title":"{{{Title(number)}}}"}}""";

    private static JsonElement AssertSynced(JsonElement line, string document, string url)
    {
        Same.FirstMembers(line, "doc", "url", "pushed", "pulled", "head", "unsent", "refused");
        Assert.Equal(document, line.GetProperty("doc").GetString());
        Assert.Equal(url, line.GetProperty("url").GetString());
        Assert.Equal(0, line.GetProperty("unsent").GetInt32());
        Assert.Equal(0, line.GetProperty("refused").GetArrayLength());
        return line;
    }
}
