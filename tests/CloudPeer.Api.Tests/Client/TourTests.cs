using System.Globalization;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Two people edit one document and are never online together.</summary>
public sealed class TourTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [BothStores]
    public async Task Two_people_who_are_never_online_together_end_with_the_same_document(StoreKind store)
    {
        await using var server = await StartAsync(store);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.EditAsync(AddTasks, Cancel);
        var who = await a.Replica.ResolveAsync(b.Replica.Account.ToString(), Cancel);
        await mine.GrantAsync(who, Permission.Write, Cancel);
        await a.Replica.InviteAsync(who, mine, "our tasks", Cancel);
        Assert.Empty(await a.Replica.QueuedInvitationsAsync(Cancel));
        await a.ReopenAsync();
        await server.RestartAsync();

        var invitation = Assert.Single(await b.Replica.InvitationsAsync(Cancel));
        Assert.Equal((a.Replica.Account, mine.Id, "todoapp", "our tasks"), (invitation.From.Account, invitation.Document, invitation.Schema, invitation.Note));
        var theirs = await b.Replica.AcceptAsync(invitation.Id, Cancel);
        var waiting = Assert.Throws<TlfsException>(() => theirs.ToJson());
        Assert.Equal(Reason.KeyMissing, waiting.Reason);
        Assert.Contains(a.Replica.Account.ToString(), waiting.Message, StringComparison.Ordinal);
        await b.SyncAsync();
        Assert.Contains("task 19", theirs.ToJson(), StringComparison.Ordinal);
        await theirs.EditAsync(EditTasks, Cancel);
        var pushed = Assert.Single(await b.SyncAsync());
        Assert.Equal((1, 0), (pushed.Pushed, pushed.Unsent));

        var again = await a.Replica.OpenDocumentAsync(mine.Id, Cancel);
        var pulled = Assert.Single(await a.SyncAsync());
        Assert.Equal(1, pulled.Pulled);
        Assert.Equal(theirs.ToJson(), again.ToJson());
        Assert.Contains("\"changed 4\"", again.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("task 10", again.ToJson(), StringComparison.Ordinal);
        AssertInOrder(again.Verify());
        AssertInOrder(theirs.Verify());
        Assert.All(again.Log.Where(entry => entry.Author == a.Replica.Peer), entry => Assert.Equal([server.HttpUrl], entry.Receipts));
    }

    [Theory]
    [BothStores]
    public async Task Concurrent_offline_edits_converge_to_the_same_text(StoreKind store)
    {
        await using var server = await StartAsync(store);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await mine.EditAsync(d => d["tasks"].Insert(0, new { title = "both", complete = true }), Cancel);
        await a.SyncAsync();
        await b.SyncAsync();

        foreach (var (doc, name) in new[] { (mine, "a"), (theirs, "b") })
        {
            await doc.EditAsync(d => d["title"].Set("title of " + name), Cancel);
            await doc.EditAsync(d => d["tasks"][0]["complete"].Set(name is "a"), Cancel);
            await doc.EditAsync(d => d["tasks"].Insert(0, new { title = "only " + name }), Cancel);
            await doc.EditAsync(d => d["people"].Row("Ann").Set(new { age = name.Length }), Cancel);
        }

        await a.SyncAsync();
        await b.SyncAsync();
        await a.SyncAsync();
        Assert.Equal(mine.ToJson(), theirs.ToJson());
        Assert.Equal(mine.ToJson(allValues: true), theirs.ToJson(allValues: true));
        Assert.Contains("title of a", mine.ToJson(".title", allValues: true), StringComparison.Ordinal);
        Assert.Contains("title of b", mine.ToJson(".title", allValues: true), StringComparison.Ordinal);
        Assert.All(mine.Log, entry => Assert.Equal(EnvelopeStatus.Applied, entry.Status));
    }

    [Theory]
    [BothStores]
    public async Task Documents_made_before_and_after_a_cloudpeer_was_added_are_both_sent(StoreKind store)
    {
        await using var server = await StartAsync(store);
        await using var a = await Person.CreateAsync(server, added: false);
        var before = await a.Replica.CreateAsync("todoapp", Cancel);
        Assert.Equal(before.EnvelopeCount, before.Unsent);
        await a.Replica.AddCloudpeerAsync(server.HttpUrl, cancellationToken: Cancel);
        var after = await a.Replica.CreateAsync("todoapp", Cancel);
        Assert.Equal(2, (await a.SyncAsync()).Count);
        Assert.Equal((0, 0), (before.Unsent, after.Unsent));
        Assert.All(await a.Replica.StatusAsync(Cancel), status => Assert.NotNull(status.LastConfirmed));
        Assert.All(await a.Replica.CloudpeersAsync(Cancel), cloudpeer => Assert.True(cloudpeer.Entitlement!.UsedBytes > 0));
    }

    private static void AddTasks(Transaction edit)
    {
        for (var i = 0; i < 20; i++) edit.Insert(".tasks", i, Json.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{"title":"task {{i}}"}""")));
    }

    private static void EditTasks(Transaction edit)
    {
        for (var i = 0; i < 5; i++) edit.Set(string.Create(CultureInfo.InvariantCulture, $".tasks[{i}].title"), Json.Parse($"\"changed {i.ToString(CultureInfo.InvariantCulture)}\""));
        edit.Remove(".tasks[10]");
    }

    private static void AssertInOrder(Tlfs.Client.Verification verification)
    {
        Assert.True(verification.Envelopes > 0);
        Assert.Empty(verification.Problems);
    }

    private Task<TestServer> StartAsync(StoreKind store) => ClientServer.StartAsync(store, postgres);
}
