using System.Text.Json;
using System.Threading.Channels;
using CloudPeer.Browser.Tests.Support;
using Microsoft.Playwright;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Browser.Tests;

/// <summary>What docs/protocol/api.md §3 promises to a page of another site, in a real browser with a client that is not ours.</summary>
public sealed class GrpcWebTests(Scene scene)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_signs_in_pushes_and_pulls_and_checks_the_head_itself()
    {
        var (page, device) = await scene.OpenAppAsync();
        var document = await scene.ShareAsync(device, Permission.Sync);
        var delta = scene.NextDelta(document);

        Assert.True(await page.EvaluateAsync<bool>("() => app.signIn()"));
        var pushed = await PushAsync(page, document.Id, delta.Bytes);
        var pulled = await page.EvaluateAsync<JsonElement>("document => app.pull(document)", document.Id.ToString());

        Assert.Equal(delta.Id.ToString(), Assert.Single(pushed.GetProperty("receipts").EnumerateArray()).GetString());
        Assert.Equal(document.Envelopes.Count, pulled.GetProperty("size").GetInt32());
        Assert.True(pulled.GetProperty("proven").GetBoolean());
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_page_that_follows_is_told_of_what_comes_until_its_right_ends()
    {
        var (page, device) = await scene.OpenAppAsync();
        var document = await scene.ShareAsync(device, Permission.Read);
        var told = Channel.CreateUnbounded<JsonElement>();
        await page.ExposeFunctionAsync("told", (string line) => told.Writer.TryWrite(JsonElement.Parse(line)));
        await page.EvaluateAsync("() => app.signIn()");

        await page.EvaluateAsync("document => app.follow(document)", document.Id.ToString());
        var first = await told.Reader.ReadAsync(Cancel);
        await scene.PushAsync(document.Id, scene.NextDelta(document));
        var second = await told.Reader.ReadAsync(Cancel);
        await scene.PushAsync(document.Id, scene.NextRevoke(document, device));
        var last = await told.Reader.ReadAsync(Cancel);

        Assert.Equal("""{"size":3,"proven":true}""", first.GetRawText());
        Assert.Equal("""{"size":4,"proven":true}""", second.GetRawText());
        Assert.Equal("""{"code":"NotFound"}""", last.GetRawText());
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_page_may_leave_a_document_that_it_follows_and_go_on()
    {
        var (page, device) = await scene.OpenAppAsync();
        var document = await scene.ShareAsync(device, Permission.Read);
        var told = Channel.CreateUnbounded<JsonElement>();
        await page.ExposeFunctionAsync("told", (string line) => told.Writer.TryWrite(JsonElement.Parse(line)));
        await page.EvaluateAsync("() => app.signIn()");
        await page.EvaluateAsync("document => app.follow(document)", document.Id.ToString());
        Assert.True((await told.Reader.ReadAsync(Cancel)).GetProperty("proven").GetBoolean());

        await page.EvaluateAsync("() => app.leave()");

        Assert.Equal("""{"code":"Canceled"}""", (await told.Reader.ReadAsync(Cancel)).GetRawText());
        await page.EvaluateAsync("document => app.follow(document)", document.Id.ToString());
        Assert.Equal("""{"size":3,"proven":true}""", (await told.Reader.ReadAsync(Cancel)).GetRawText());
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_page_reads_why_it_was_refused()
    {
        var (page, device) = await scene.OpenAppAsync();
        var document = await scene.ShareAsync(device, Permission.Sync);
        scene.NextDelta(document);
        var later = scene.NextDelta(document);

        var stranger = await page.EvaluateAsync<JsonElement>("document => app.pullRefusal(document)", document.Id.ToString());
        await page.EvaluateAsync("() => app.signIn()");
        var unknown = await page.EvaluateAsync<JsonElement>("document => app.pullRefusal(document)", new DocId(device.Value).ToString());
        var gap = await PushAsync(page, document.Id, later.Bytes);

        Assert.Equal(("Unauthenticated", "UNAUTHENTICATED", "cloudpeer"), Facts(stranger));
        Assert.Equal(("NotFound", "NOT_FOUND", "cloudpeer"), Facts(unknown));
        Assert.Equal("There is no such document here, or you may not know of it.", unknown.GetProperty("message").GetString());
        Assert.Equal(("CHAIN_BEHIND", 2), (gap.GetProperty("reason").GetString(), gap.GetProperty("tipSeq").GetInt32()));
        await page.CloseAsync();
    }

    private static Task<JsonElement> PushAsync(IPage page, DocId document, ReadOnlyMemory<byte> envelope) => page.EvaluateAsync<JsonElement>(
        "([document, envelope]) => app.push(document, [envelope])", new[] { document.ToString(), Convert.ToBase64String(envelope.Span) });

    private static (string? Code, string? Reason, string? Domain) Facts(JsonElement refusal) => (
        refusal.GetProperty("code").GetString(), refusal.GetProperty("reason").GetString(), refusal.GetProperty("domain").GetString());
}
