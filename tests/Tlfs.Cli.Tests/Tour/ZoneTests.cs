using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>Sharing a part of a document through a cloudpeer.</summary>
public sealed class ZoneTests(SharedServer shared)
{
    [Fact]
    public async Task WhoGetsAPath_SeesAndChangesThatAndNothingElse()
    {
        var server = await shared.GetAsync();
        using var anna = await ReadyAsync("anna", server);
        using var bob = await ReadyAsync("bob", server);
        var document = await anna.NewDocumentAsync();
        (await anna.FeedAsync("""{"title":"for anna","tasks":[{"title":"first"}]}""", "doc", "set", document, ".", "-")).Done();
        (await anna.RunAsync("sync")).Done();

        // He may read the tasks, then write them; the title stays hers.
        var grant = await GrantAsync(anna, bob, document, "write", ".tasks");
        await JoinAsync(anna, bob, document);
        Assert.Equal("{\"tasks\":[{\"complete\":false,\"title\":\"first\"}]}\n", await bob.ShowAsync(document));
        (await bob.EditAsync(document, """{"op":"set","path":".tasks[0].complete","value":true}""")).Done();
        (await bob.EditAsync(document, """{"op":"set","path":".title","value":"x"}""")).Failed("not-authorised");
        (await bob.RunAsync("sync")).Done();
        (await anna.RunAsync("sync")).Done();
        Assert.Equal("[{\"complete\":true,\"title\":\"first\"}]\n", await anna.ShowAsync(document, ".tasks"));
        Assert.Contains((await anna.JsonAsync("grants", document)).Done().JsonLines, line => line.GetProperty("path").GetString() is ".tasks");
        (await bob.RunAsync("doc", "verify", document)).Done();

        // After the revocation he keeps what he had and gets nothing more.
        (await anna.RunAsync("revoke", document, grant)).Done();
        (await anna.EditAsync(document, """{"op":"set","path":".tasks[0].title","value":"not for bob"}""")).Done();
        (await anna.RunAsync("sync")).Done();
        (await bob.RunAsync("sync")).Failed("not-found");
        Assert.Equal("[{\"complete\":true,\"title\":\"first\"}]\n", await bob.ShowAsync(document, ".tasks"));
    }

    [Fact]
    public async Task AMemberFromNowOn_SeesWhatIsThere_AndNoEarlierValue()
    {
        var server = await shared.GetAsync();
        using var anna = await ReadyAsync("anna", server);
        using var bob = await ReadyAsync("bob", server);
        var document = await anna.NewDocumentAsync();
        (await anna.EditAsync(document, """{"op":"set","path":".title","value":"before"}""")).Done();
        (await anna.EditAsync(document, """{"op":"set","path":".title","value":"now"}""")).Done();
        (await anna.RunAsync("sync")).Done();
        await GrantAsync(anna, bob, document, "read", ".", "--from-now");
        await JoinAsync(anna, bob, document);
        Assert.Equal("\"now\"\n", await bob.ShowAsync(document, ".title"));
        Assert.Contains((await bob.JsonAsync("doc", "log", document)).Done().JsonLines, line => line.GetProperty("status").GetString() is "key-missing");
        (await anna.EditAsync(document, """{"op":"set","path":".title","value":"later"}""")).Done();
        (await anna.RunAsync("sync")).Done();
        (await bob.RunAsync("sync")).Done();
        Assert.Equal("\"later\"\n", await bob.ShowAsync(document, ".title"));
    }

    [Fact]
    public async Task AWiderGrantLater_BringsWhatWasWithheld()
    {
        var server = await shared.GetAsync();
        using var anna = await ReadyAsync("anna", server);
        using var bob = await ReadyAsync("bob", server);
        var document = await anna.NewDocumentAsync();
        (await anna.FeedAsync("""{"title":"for anna","tasks":[{"title":"first"}]}""", "doc", "set", document, ".", "-")).Done();
        (await anna.RunAsync("sync")).Done();
        await GrantAsync(anna, bob, document, "read", ".tasks");
        await JoinAsync(anna, bob, document);
        await GrantAsync(anna, bob, document, "read", ".");
        (await anna.RunAsync("sync")).Done();
        (await bob.RunAsync("sync")).Done();
        Assert.Equal(await anna.ShowAsync(document), await bob.ShowAsync(document));
    }

    [Fact]
    public async Task ANewDevice_BeginsWithTheSnapshot_AndEndsWithEverything()
    {
        var server = await shared.GetAsync();
        using var anna = await ReadyAsync("anna", server);
        using var bob = await ReadyAsync("bob", server);
        var document = await anna.NewDocumentAsync();
        for (var i = 0; i < 300; i++) (await anna.EditAsync(document, $$"""{"op":"set","path":".title","value":"{{i}}"}""")).Done();
        Assert.Equal(1, (await anna.JsonAsync("doc", "snapshot", document)).Done().JsonLines.Single().GetProperty("envelopes").GetInt32());
        (await anna.EditAsync(document, """{"op":"set","path":".title","value":"last"}""")).Done();
        await GrantAsync(anna, bob, document, "read", ".");
        await JoinAsync(anna, bob, document);
        Assert.Equal("\"last\"\n", await bob.ShowAsync(document, ".title"));
        Assert.DoesNotContain((await bob.JsonAsync("doc", "log", document)).Done().JsonLines, line => line.GetProperty("status").GetString() is "key-missing");
        (await bob.RunAsync("doc", "verify", document)).Done();
    }

    private static async Task<Person> ReadyAsync(string name, Server server)
    {
        var person = await Person.ReadyAsync(name);
        (await person.RunAsync("cloudpeer", "add", server.Url)).Done();
        return person;
    }

    private static async Task<string> GrantAsync(Person from, Person to, string document, params string[] permissionAndPath)
    {
        var account = (await to.JsonAsync("id")).Text("account");
        return (await from.JsonAsync(["grant", document, account, .. permissionAndPath])).Text("grant");
    }

    private static async Task JoinAsync(Person from, Person to, string document)
    {
        (await from.RunAsync("invite", document, (await to.JsonAsync("id")).Text("account"))).Done();
        (await from.RunAsync("sync")).Done();
        await Pair.AcceptAsync(to);
        (await to.RunAsync("sync")).Done();
    }
}
