using System.Globalization;
using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary><c>sync --watch</c>, and being interrupted.</summary>
public sealed class WatchTests(SharedServer shared)
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Watch_ReceivesWhatOthersSend_UntilInterrupted(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send");
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        await using var watching = pair.Anna.Start("--json", "sync", "--watch");
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"news"}""")).Done();
        (await pair.Bob.RunAsync("sync")).Done();
        await watching.WaitForLineAsync("\"pulled\":[1-9]", TestContext.Current.CancellationToken);
        Assert.Equal("\"news\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));

        // What another process edits here is sent without being asked.
        (await pair.Anna.EditAsync(pair.Document, """{"op":"set","path":".title","value":"an answer"}""")).Done();
        await watching.WaitForLineAsync("\"pushed\":[1-9]", TestContext.Current.CancellationToken);
        (await pair.Bob.RunAsync("sync")).Done();
        Assert.Equal("\"an answer\"\n", await pair.Bob.ShowAsync(pair.Document, ".title"));

        Assert.Equal(130, await InterruptAsync(watching, signal));
        Assert.Empty(watching.StandardError);
    }

    [Fact]
    public async Task ACommandThatWaitsForInput_CanBeInterrupted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send");
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        await using var editing = person.Start("doc", "edit", document);
        await editing.WriteLineAsync("""{"op":"set","path":".title","value":"x"}""", TestContext.Current.CancellationToken);
        Assert.Equal(130, await InterruptAsync(editing, "INT"));
        Assert.Equal("null\n", await person.ShowAsync(document, ".title"));
    }

    private static async Task<int> InterruptAsync(ServerProcess process, string signal)
    {
        var id = process.Id.ToString(CultureInfo.InvariantCulture);
        (await ProcessRunner.RunAsync(new("/bin/sh", ["-c", $"kill -{signal} {id}"]), TestContext.Current.CancellationToken)).EnsureSuccess();
        return (await process.WaitForExitAsync(TestContext.Current.CancellationToken)).ExitCode;
    }
}
