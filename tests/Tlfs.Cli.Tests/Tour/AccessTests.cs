using System.Text.Json;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>Who may not, cannot; and learns why from a stable reason.</summary>
public sealed class AccessTests(SharedServer shared)
{
    [Fact]
    public async Task SomebodyWithoutAccess_IsRefused()
    {
        var server = await shared.GetAsync();
        using var pair = await Pair.ShareAsync(server);
        using var carol = await Person.ReadyAsync("carol");
        (await carol.RunAsync("cloudpeer", "add", server.Url)).Done();

        // Carol learns of the document from an invitation, and her grant ends before she can use it.
        var grant = await Pair.InviteAsync(pair.Anna, carol, pair.Document, "write");
        (await pair.Anna.RunAsync("sync")).Done();
        (await pair.Anna.RunAsync("revoke", pair.Document, grant)).Done();
        (await pair.Anna.RunAsync("sync")).Done();
        await Pair.AcceptAsync(carol);

        var refused = (await carol.JsonAsync("sync")).Failed("not-found");
        var line = Assert.Single(refused.JsonLines);
        Assert.Equal(pair.Document, line.GetProperty("doc").GetString());
        Assert.Equal("not-found", line.GetProperty("error").GetString());
        Assert.Equal(0, line.GetProperty("pulled").GetInt32());
        (await carol.RunAsync("doc", "show", pair.Document)).Failed("key-missing");
        (await carol.EditAsync(pair.Document, """{"op":"set","path":".title","value":"x"}""")).Failed("key-missing");
    }

    [Fact]
    public async Task AfterARevocation_LaterWritesAreRefused_AndWhatWasSentBeforeStays()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".tasks[0].title","value":"bob's, in time"}""")).Done();
        await pair.SyncAsync();
        (await pair.Anna.RunAsync("revoke", pair.Document, pair.Grant)).Done();
        (await pair.Anna.EditAsync(pair.Document, """{"op":"set","path":".title","value":"without bob"}""")).Done();
        (await pair.Anna.RunAsync("sync")).Done();

        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"bob's, too late"}""")).Done();
        var refused = await pair.Bob.JsonAsync("sync");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(refused.Failed("not-found").JsonLines, line => line.GetProperty("unsent").GetInt32() > 0);
        Assert.Equal("\"bob's, too late\"\n", await pair.Bob.ShowAsync(pair.Document, ".title"));

        (await pair.Anna.RunAsync("sync")).Done();
        Assert.Equal("\"without bob\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));
        Assert.Equal("\"bob's, in time\"\n", await pair.Anna.ShowAsync(pair.Document, ".tasks[0].title"));
        Assert.Contains((await pair.Anna.JsonAsync("grants", pair.Document)).Done().JsonLines, line => IsOf(line, pair.Grant) && !line.GetProperty("valid").GetBoolean());
    }

    [Fact]
    public async Task AReader_SeesAndCannotWrite()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync(), permission: "read");
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"x"}""")).Failed("not-authorised");
        (await pair.Bob.RunAsync("grant", pair.Document, "anyone", "sync")).Failed("grant-refused");
        (await pair.Bob.RunAsync("revoke", pair.Document, pair.Grant)).Failed("not-authorised");
        await pair.AssertEqualAsync();
    }

    [Fact]
    public async Task AnInvitation_NeedsAGrant_AndCanBeDeclined()
    {
        var server = await shared.GetAsync();
        using var pair = await Pair.ShareAsync(server);
        using var carol = await Person.ReadyAsync("carol");
        (await carol.RunAsync("cloudpeer", "add", server.Url)).Done();
        var account = (await carol.JsonAsync("id")).Text("account");
        (await pair.Anna.RunAsync("invite", pair.Document, account)).Failed("grant-refused");

        await Pair.InviteAsync(pair.Anna, carol, pair.Document, "read");
        (await pair.Anna.RunAsync("sync")).Done();
        var invite = Assert.Single((await carol.JsonAsync("invites")).Done().JsonLines);
        Assert.Equal(pair.Document, (await carol.JsonAsync("decline", invite.GetProperty("invite").GetString()!)).Text("doc"));
        Assert.Empty((await carol.JsonAsync("invites")).Done().Output);
        Assert.Empty((await carol.JsonAsync("doc", "list")).Done().Output);
    }

    [Fact]
    public async Task WhoIsBlocked_IsNotHeard_UntilInvitedAgain()
    {
        var server = await shared.GetAsync();
        using var pair = await Pair.ShareAsync(server);
        var bob = (await pair.Bob.JsonAsync("id")).Text("account");
        var other = await pair.Bob.NewDocumentAsync();
        await Pair.InviteAsync(pair.Bob, pair.Anna, other, "read");
        Assert.Single((await pair.Anna.JsonAsync("invites")).Done().JsonLines);

        Assert.Equal(bob, (await pair.Anna.JsonAsync("contact", "block", bob)).Text("account"));
        Assert.Empty((await pair.Anna.JsonAsync("invites")).Done().Output);
        await Pair.InviteAsync(pair.Bob, pair.Anna, other, "read");
        Assert.Empty((await pair.Anna.JsonAsync("invites")).Done().Output);
        (await pair.Anna.RunAsync("invite", pair.Document, bob)).Done();
        await Pair.InviteAsync(pair.Bob, pair.Anna, other, "read");
        Assert.Single((await pair.Anna.JsonAsync("invites")).Done().JsonLines);

        (await pair.Anna.RunAsync("contact", "block", "acct_nobody")).Failed("bad-argument");
    }

    [Fact]
    public async Task SomebodyWhoLeft_HasNoAccess()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        (await pair.Bob.RunAsync("doc", "leave", pair.Document)).Done();
        Assert.Empty((await pair.Bob.JsonAsync("doc", "list")).Done().Output);
        (await pair.Bob.RunAsync("sync")).Done();
        (await pair.Anna.RunAsync("sync")).Done();
        Assert.Contains((await pair.Anna.JsonAsync("grants", pair.Document)).Done().JsonLines, line => IsOf(line, pair.Grant) && !line.GetProperty("valid").GetBoolean());
    }

    private static bool IsOf(JsonElement line, string grant) => string.Equals(line.GetProperty("grant").GetString(), grant, StringComparison.Ordinal);
}
