using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary><c>doc export-voided</c> and <c>doc withdraw</c>.</summary>
public sealed class WithdrawTests(SharedServer shared)
{
    [Fact]
    public async Task WhatCameTooLate_IsVoidForOthers_AndCanBeWithdrawnAndWrittenAgain()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        var bob = (await pair.Bob.JsonAsync("id")).Text("peer");
        (await pair.Anna.RunAsync("revoke", pair.Document, pair.Grant)).Done();
        (await pair.Anna.RunAsync("sync")).Done();
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"late"}""")).Done();
        (await pair.Bob.RunAsync("sync")).Failed("not-found");
        var before = await pair.Bob.ShowAsync(pair.Document);

        (await pair.Bob.RunAsync("doc", "withdraw", pair.Document)).Done();
        Assert.Equal("\"list\"\n", await pair.Bob.ShowAsync(pair.Document, ".title"));
        var voided = (await pair.Bob.JsonAsync("doc", "export-voided", pair.Document)).Json;
        Assert.Equal((bob, "not-found", true), (voided.GetProperty("author").GetString(), voided.GetProperty("reason").GetString(), voided.GetProperty("withdrawn").GetBoolean()));
        Assert.Contains(voided.GetProperty("operations").EnumerateArray(), each => each.GetRawText() is """{"op":"put","path":".title","value":"late"}""");
        Assert.Contains("  put .title \"late\"", (await pair.Bob.RunAsync("doc", "export-voided", pair.Document)).Done().Lines, StringComparer.Ordinal);

        Assert.Equal(1, (await pair.Bob.JsonAsync("doc", "withdraw", pair.Document, "--reapply")).Json.GetProperty("reapplied").GetInt32());
        Assert.Equal(before, await pair.Bob.ShowAsync(pair.Document));
        Assert.Empty((await pair.Bob.JsonAsync("doc", "export-voided", pair.Document)).Done().Output);
    }

    [Fact]
    public async Task WhereNothingWasRefused_NothingIsWithdrawn()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.EditAsync(document, """{"op":"set","path":".title","value":"mine"}""")).Done();
        (await person.RunAsync("doc", "withdraw", document)).Failed("nothing-to-do");
        (await person.RunAsync("doc", "withdraw", document, "--reapply")).Failed("nothing-to-do");
        Assert.Equal("\"mine\"\n", await person.ShowAsync(document, ".title"));
        Assert.Contains("counts", (await person.RunAsync("doc", "export-voided", document)).Line, StringComparison.Ordinal);
    }
}
