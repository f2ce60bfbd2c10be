using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Offline;

/// <summary>Grants, invitations, cloudpeers, sync and status as far as they go without a server.</summary>
public sealed class SharingTests
{
    private static readonly string SomePeer = "peer_" + new string('a', 52);
    private static readonly string SomeAccount = "acct_" + new string('a', 52);

    [Fact]
    public async Task Grant_List_Revoke()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var own = Assert.Single((await person.JsonAsync("grants", document)).Done().JsonLines);
        Same.Members(own, "grant", "who", "permission", "path", "valid", "why");
        Assert.Equal("own", own.GetProperty("permission").GetString());
        Assert.Equal((await person.JsonAsync("id")).Text("account"), own.GetProperty("who").GetString());

        var grant = (await person.JsonAsync("grant", document, SomePeer, "sync")).Text("grant");
        Assert.StartsWith("grant_", grant, StringComparison.Ordinal);
        Assert.NotEmpty((await person.JsonAsync("grant", document, "anyone", "sync", ".")).Text("grant"));
        var listed = (await person.JsonAsync("grants", document)).Done().JsonLines;
        Same.Texts([SomePeer, "anyone"], listed.Skip(1).Select(line => line.GetProperty("who").GetString()));
        Assert.All(listed, line => Assert.True(line.GetProperty("valid").GetBoolean() && line.GetProperty("path").GetString() is "."));

        Assert.StartsWith("env_", (await person.JsonAsync("revoke", document, grant)).Text("envelope"), StringComparison.Ordinal);
        var ended = (await person.JsonAsync("grants", document)).Done().JsonLines.Single(line => string.Equals(line.GetProperty("grant").GetString(), grant, StringComparison.Ordinal));
        Assert.False(ended.GetProperty("valid").GetBoolean());
        Assert.Contains("ended by env_", ended.GetProperty("why").GetString(), StringComparison.Ordinal);
        (await person.RunAsync("revoke", document, grant)).Failed("nothing-to-do");
    }

    [Fact]
    public async Task AGrantThatCannotBeGiven_IsRefused()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.RunAsync("grant", document, SomePeer, "sync", ".nothing")).Failed("path-not-found");
        (await person.RunAsync("grant", document, SomePeer, "sync", "--from-now")).Failed("grant-refused");
        (await person.RunAsync("grant", document, SomePeer, "sync", "--if", "x")).Failed("unsupported");
        (await person.RunAsync("grant", document, "anyone", "read")).Failed("grant-refused");
        (await person.RunAsync("grant", document, SomeAccount, "write")).Failed("card-unknown");
        (await person.RunAsync("grant", document, "bob", "write")).Failed("bad-argument");
        (await person.RunAsync("revoke", document, "grant_x")).Failed("grant-not-found");
        (await person.RunAsync("revoke", document, "grant_" + new string('a', 52))).Failed("grant-not-found");
        Assert.Single((await person.JsonAsync("grants", document)).Done().JsonLines);
    }

    [Fact]
    public async Task WithoutInvitations_NothingIsListed()
    {
        using var person = await Person.ReadyAsync();
        Assert.Empty((await person.JsonAsync("invites")).Done().Output);
        Assert.Contains("tlfs sync", (await person.RunAsync("invites")).Done().Output, StringComparison.Ordinal);
        foreach (var command in (string[])["accept", "decline"])
        {
            (await person.RunAsync(command, "invite_x")).Failed("invite-not-found");
            (await person.RunAsync(command, "invite_" + new string('a', 52))).Failed("invite-not-found");
        }

        (await person.RunAsync("invite", await person.NewDocumentAsync(), SomeAccount)).Failed("card-unknown");
    }

    [Fact]
    public async Task WithoutACloudpeer_SyncSaysHowToGetOne()
    {
        using var person = await Person.ReadyAsync();
        await person.NewDocumentAsync();
        Assert.Contains("tlfs cloudpeer add", (await person.RunAsync("sync")).Done().Output, StringComparison.Ordinal);
        Assert.Empty((await person.JsonAsync("sync")).Done().Output);
        Assert.Empty((await person.JsonAsync("status")).Done().Output);
        Assert.Contains("tlfs cloudpeer add", (await person.RunAsync("status")).Done().Output, StringComparison.Ordinal);
        Assert.Empty((await person.JsonAsync("cloudpeer", "list")).Done().Output);
        (await person.RunAsync("cloudpeer", "remove", "http://localhost:1")).Failed("cloudpeer-not-found");
    }

    [Theory]
    [InlineData("insecure-url", "http://cloud.example")]
    [InlineData("bad-argument", "not a url")]
    [InlineData("bad-argument", "ftp://localhost")]
    public async Task AnAddressThatIsNone_IsRefused(string reason, string url)
    {
        using var person = await Person.ReadyAsync();
        (await person.RunAsync("cloudpeer", "add", url)).Failed(reason);
        Assert.Empty((await person.JsonAsync("cloudpeer", "list")).Done().Output);
    }
}
