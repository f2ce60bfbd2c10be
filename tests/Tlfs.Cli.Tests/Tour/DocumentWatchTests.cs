using System.Globalization;
using System.Text.Json;
using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary><c>doc watch</c>: the real program, until it is interrupted.</summary>
public sealed class DocumentWatchTests(SharedServer shared)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Watch_ShowsWhatAnotherProcessEdits_UntilInterrupted(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send");
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var peer = (await person.JsonAsync("id")).Text("peer");
        await using var watching = person.Start("doc", "watch", document);
        await watching.WaitForLineAsync("^Watching", Cancel);
        (await person.EditAsync(document, """{"op":"insert","path":".tasks","index":0,"value":{"title":"milk"}}""")).Done();
        await watching.WaitForLineAsync(@"^insert \.tasks\[0\] \{""complete"":false,""title"":""milk""\} by " + peer + "$", Cancel);
        (await person.EditAsync(document, """{"op":"remove","path":".tasks[0]"}""")).Done();
        await watching.WaitForLineAsync(@"^remove \.tasks\[0\] \{.*\} by " + peer + "$", Cancel);
        Assert.Equal(130, await InterruptAsync(watching, signal));
        Assert.Empty(watching.StandardError);
    }

    [Fact]
    public async Task Watch_WithSync_PrintsWhatOthersWriteBelowThePath()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send");
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        var bob = (await pair.Bob.JsonAsync("id")).Text("peer");
        await using var watching = pair.Anna.Start("--json", "doc", "watch", pair.Document, ".tasks[1]", "--sync");

        // Machine output does not say when the watch has begun, so the edits go on until one is seen.
        var seen = watching.WaitForLineAsync("\"change\":\"update\".*", Cancel);
        var last = -1;
        while (!seen.IsCompleted)
        {
            last++;
            (await pair.Bob.EditAsync(pair.Document, $$"""{"op":"set","path":".title","value":"{{last}}"}""", $$"""{"op":"set","path":".tasks[1].title","value":"{{last}}"}""")).Done();
            (await pair.Bob.RunAsync("sync")).Done();
        }

        // Else the last of them and the move may be told as one difference.
        await watching.WaitForLineAsync($"\"value\":\"{last}\"", Cancel);
        (await pair.Bob.EditAsync(pair.Document, """{"op":"move","path":".tasks","from":1,"to":0}""")).Done();
        (await pair.Bob.RunAsync("sync")).Done();
        await watching.WaitForLineAsync("\"change\":\"move\"", Cancel);
        Assert.Equal(130, await InterruptAsync(watching, "INT"));
        Assert.Empty(watching.StandardError);
        var lines = watching.StandardOutput.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line)).ToArray();
        Assert.All(lines[..^1], line => Assert.Equal(("update", ".tasks[1].title", bob), (Member(line, "change"), Member(line, "path"), Member(line, "author"))));
        Assert.Equal(("move", ".tasks[0]", ".tasks[1]"), (Member(lines[^1], "change"), Member(lines[^1], "path"), Member(lines[^1], "from")));
    }

    [Fact]
    public async Task Watch_OfAPlaceThatIsNotThere_IsRefused()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.RunAsync("doc", "watch", document, ".nothing")).Failed("path-not-found");
    }

    private static string? Member(JsonElement line, string name) => line.GetProperty(name).GetString();

    private static async Task<int> InterruptAsync(ServerProcess process, string signal)
    {
        var id = process.Id.ToString(CultureInfo.InvariantCulture);
        (await ProcessRunner.RunAsync(new("/bin/sh", ["-c", $"kill -{signal} {id}"]), Cancel)).EnsureSuccess();
        return (await process.WaitForExitAsync(Cancel)).ExitCode;
    }
}
