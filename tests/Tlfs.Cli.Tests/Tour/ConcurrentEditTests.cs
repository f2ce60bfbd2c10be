using System.Text.Json;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>Both edit while neither is connected: afterwards both see the same, and nothing that either wrote is lost.</summary>
public sealed class ConcurrentEditTests(SharedServer shared)
{
    [Fact]
    public async Task ARegister_AFlag_AndAnArray_Converge()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        (await pair.Anna.EditAsync(pair.Document, """{"op":"set","path":".tasks[0].complete","value":true}""")).Done();
        await pair.SyncAsync();

        (await pair.Anna.EditAsync(
            pair.Document,
            """{"op":"set","path":".title","value":"from anna"}""",
            """{"op":"set","path":".tasks[0].complete","value":false}""",
            """{"op":"move","path":".tasks","from":0,"to":1}""",
            """{"op":"insert","path":".tasks","index":0,"value":{"title":"anna's"}}""")).Done();
        (await pair.Bob.EditAsync(
            pair.Document,
            """{"op":"set","path":".title","value":"from bob"}""",
            """{"op":"set","path":".tasks[0].complete","value":true}""",
            """{"op":"insert","path":".tasks","index":0,"value":{"title":"bob's"}}""")).Done();
        await pair.SyncAsync();

        await pair.AssertEqualAsync();
        var document = JsonElement.Parse(await pair.Anna.ShowAsync(pair.Document));
        string[] titles = [.. document.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("title").GetString()!)];
        Same.Texts(["anna's", "bob's", "first", "second"], titles.Order(StringComparer.Ordinal));
        Assert.True(document.GetProperty("tasks")[Array.IndexOf(titles, "first")].GetProperty("complete").GetBoolean(), "a flag that one enabled and one disabled is on");

        var values = JsonElement.Parse((await pair.Bob.RunAsync("doc", "show", pair.Document, ".title", "--all-values")).Done().Output);
        Same.Texts(["from anna", "from bob"], values.EnumerateArray().Select(value => value.GetString()).Order(StringComparer.Ordinal));
        Assert.Contains(document.GetProperty("title").GetString(), values.EnumerateArray().Select(value => value.GetString()), StringComparer.Ordinal);
    }

    [Fact]
    public async Task AnUpdate_SurvivesARemoval()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        (await pair.Anna.EditAsync(pair.Document, """{"op":"remove","path":".tasks[0]"}""")).Done();
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".tasks[0].title","value":"still needed"}""")).Done();
        await pair.SyncAsync();
        await pair.AssertEqualAsync();
        Assert.Equal("\"still needed\"\n", await pair.Anna.ShowAsync(pair.Document, ".tasks[0].title"));
    }
}
