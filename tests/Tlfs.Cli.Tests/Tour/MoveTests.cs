using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary><c>tlfs cloudpeer move</c> between two real servers, as two people see it.</summary>
public sealed class MoveTests(SharedServer shared)
{
    [Fact]
    public async Task AMove_IsProven_AndTheOtherPersonFollows()
    {
        var from = await shared.GetAsync();
        await using var to = await Server.StartAsync();
        using var pair = await Pair.ShareAsync(from);

        var lines = (await pair.Anna.JsonAsync("cloudpeer", "move", from.Url, to.Url)).Done().JsonLines;

        Assert.Equal(["joined", "copied", "told", "switched", "proven", "finished"], lines.SkipLast(1).Select(line => line.GetProperty("step").GetString()), StringComparer.Ordinal);
        var result = lines[^1];
        Assert.True(result.GetProperty("verified").GetBoolean());
        Assert.Equal((1, lines[4].GetProperty("envelopes").GetInt32()), (result.GetProperty("documents").GetInt32(), result.GetProperty("envelopes").GetInt32()));
        Assert.Empty(result.GetProperty("left").EnumerateArray());
        Assert.Empty(result.GetProperty("untold").EnumerateArray());
        Assert.Equal(to.Url, (await pair.Anna.JsonAsync("cloudpeer", "list")).Text("url"));
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"moved"}""")).Done();
        await pair.SyncAsync();
        await pair.AssertEqualAsync();
        Assert.Equal("\"moved\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));

        Assert.Empty((await pair.Anna.JsonAsync("doc", "verify", pair.Document, "--online")).Json.GetProperty("problems").EnumerateArray());

        // Again: what was asked for is so already.
        Assert.Equal(result.ToString(), (await pair.Anna.JsonAsync("cloudpeer", "move", from.Url, to.Url)).Done().JsonLines[^1].ToString());
        (await pair.Anna.RunAsync("cloudpeer", "move", "http://localhost:9", to.Url)).Failed("cloudpeer-not-found");
    }

    [Fact]
    public async Task Status_SaysUpToWhereEachDeviceHasFetched_UnlessItIsSwitchedOff()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        await pair.SyncAsync();
        var bob = (await pair.Bob.JsonAsync("id")).Text("peer");
        var (all, of) = await FetchedAsync();
        Assert.Equal(of, all);

        Assert.False((await pair.Bob.JsonAsync("delivery", "off")).Done().JsonLines[0].GetProperty("shown").GetBoolean());
        (await pair.Anna.EditAsync(pair.Document, """{"op":"set","path":".title","value":"unseen"}""")).Done();
        await pair.SyncAsync();
        Assert.Equal((all, of + 1), await FetchedAsync());
        Assert.True((await pair.Bob.JsonAsync("delivery", "on")).Done().JsonLines[0].GetProperty("shown").GetBoolean());
        await pair.SyncAsync();
        Assert.Equal((of + 1, of + 1), await FetchedAsync());
        (await pair.Bob.RunAsync("delivery", "perhaps")).Failed("bad-argument", exitCode: 2);

        async Task<(ulong Size, ulong Of)> FetchedAsync()
        {
            var status = Assert.Single((await pair.Anna.JsonAsync("status", "--delivered")).Done().JsonLines);
            var each = status.GetProperty("delivered").EnumerateArray().Single(one => string.Equals(one.GetProperty("peer").GetString(), bob, StringComparison.Ordinal));
            return (each.GetProperty("size").GetUInt64(), each.GetProperty("of").GetUInt64());
        }
    }
}
