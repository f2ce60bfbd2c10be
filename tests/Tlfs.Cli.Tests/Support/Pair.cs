using System.Text.Json;
using Xunit;

namespace Tlfs.Cli.Tests.Support;

/// <summary>Anna, who made a document, and Bob, who may write in it; both are in step.</summary>
public sealed class Pair : IDisposable
{
    private Pair(Person anna, Person bob, string document, string grant)
    {
        Anna = anna;
        Bob = bob;
        Document = document;
        Grant = grant;
    }

    /// <summary>Who made the document.</summary>
    public Person Anna { get; }

    /// <summary>Who was invited.</summary>
    public Person Bob { get; }

    /// <summary>The document.</summary>
    public string Document { get; }

    /// <summary>Bob's grant.</summary>
    public string Grant { get; }

    /// <summary>Makes both, lets them share a document with a title and two tasks, and brings them in step.</summary>
    public static async Task<Pair> ShareAsync(Server server, string permission = "write")
    {
        var (anna, bob) = (await Person.ReadyAsync("anna"), await Person.ReadyAsync("bob"));
        (await anna.RunAsync("cloudpeer", "add", server.Url)).Done();
        (await bob.RunAsync("cloudpeer", "add", server.Url)).Done();
        var document = await anna.NewDocumentAsync();
        (await anna.FeedAsync("""{"title":"list","tasks":[{"title":"first"},{"title":"second"}]}""", "doc", "set", document, ".", "-")).Done();
        var grant = await InviteAsync(anna, bob, document, permission);
        (await anna.RunAsync("sync")).Done();
        await AcceptAsync(bob);
        (await bob.RunAsync("sync")).Done();
        var pair = new Pair(anna, bob, document, grant);
        await pair.AssertEqualAsync();
        return pair;
    }

    /// <summary>Grants and invites somebody; returns the grant.</summary>
    public static async Task<string> InviteAsync(Person from, Person to, string document, string permission)
    {
        var account = (await to.JsonAsync("id")).Text("account");
        var grant = (await from.JsonAsync("grant", document, account, permission)).Text("grant");
        Assert.StartsWith("invite_", (await from.JsonAsync("invite", document, account, "--note", "join me")).Text("invite"), StringComparison.Ordinal);
        return grant;
    }

    /// <summary>Accepts the one invitation that waits.</summary>
    public static async Task<JsonElement> AcceptAsync(Person person)
    {
        var invite = Assert.Single((await person.JsonAsync("invites")).Done().JsonLines);
        Assert.Equal(invite.GetProperty("doc").GetString(), (await person.JsonAsync("accept", invite.GetProperty("invite").GetString()!)).Text("doc"));
        return invite;
    }

    /// <summary>Brings both in step.</summary>
    public async Task SyncAsync()
    {
        foreach (var person in (Person[])[Anna, Bob, Anna]) (await person.RunAsync("sync")).Done();
    }

    /// <summary>Both see the same, byte for byte.</summary>
    public async Task AssertEqualAsync()
    {
        Assert.Equal(await Anna.ShowAsync(Document), await Bob.ShowAsync(Document));
        Assert.Equal((await Anna.RunAsync("doc", "show", Document, "--all-values")).Done().Output, (await Bob.RunAsync("doc", "show", Document, "--all-values")).Done().Output);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Anna.Dispose();
        Bob.Dispose();
    }
}
