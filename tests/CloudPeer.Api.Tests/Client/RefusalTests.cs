using System.Net;
using System.Net.Sockets;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>What a server, or a lack of one, refuses: with a reason, and nothing lost.</summary>
public sealed class RefusalTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [BothStores]
    public async Task After_a_revocation_the_reader_gets_and_sends_nothing_and_its_later_work_is_void(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        var grant = mine.Grants.Single(each => each.Actor.Peer == b.Replica.Peer);
        await mine.RevokeAsync(grant.Id, Cancel);
        await a.SyncAsync();

        await theirs.EditAsync(d => d["title"].Set("too late"), Cancel);
        var result = Assert.Single(await b.Replica.SyncAsync(cancellationToken: Cancel));
        Assert.Equal(Reason.NotFound, result.Error?.Reason);
        Assert.Equal(Reason.NotFound, Assert.Single(result.Refused).Reason);
        Assert.Equal((0, 1), (result.Pushed, result.Unsent));
        Assert.Equal(Reason.NotFound, Assert.Single(Assert.Single(await b.Replica.StatusAsync(Cancel)).Refused).Reason);
        await a.SyncAsync();
        Assert.DoesNotContain("too late", mine.ToJson(), StringComparison.Ordinal);
    }

    [Theory]
    [BothStores]
    public async Task A_stranger_is_refused_by_pull_push_and_subscription(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        using var key = SigningKey.Generate(SystemEntropy.Instance);
        await using var stranger = new CloudpeerConnection(server.GrpcUrl, server.Peer, key, SystemEntropy.Instance, server.Clock);
        await Person.RefusedAsync(Reason.NotFound, async () =>
        {
            await foreach (var _ in stranger.PullAsync(mine.Id, new(0), Cancel)) Assert.Fail("a stranger got a page");
        });
        await using var live = await stranger.StreamAsync(Cancel);
        await live.SubscribeAsync(mine.Id, 0, omitOwn: false, Cancel);
        await foreach (var change in live.Events.WithCancellation(Cancel))
        {
            Assert.Equal(Reason.NotFound, change.Refusal?.Reason);
            break;
        }

        var draft = Tlfs.Core.Sealing.Draft.First(mine.Id).SignStatement(key, new Renounce(mine.Grants[0].Id).Encode());
        var results = await stranger.PushAsync(mine.Id, [[draft]], Cancel);
        Assert.Equal(Reason.NotFound, Assert.Single(results).Refusal?.Reason);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_leaves_the_outbox_as_it_is_and_gets_it_later()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        await mine.EditAsync(d => d["title"].Set("written offline"), Cancel);
        var result = Assert.Single(await a.Replica.SyncAsync(new() { Timeout = TimeSpan.FromSeconds(10) }, null, Cancel));
        Assert.Equal(Reason.Unreachable, result.Error?.Reason);
        Assert.Equal((0, 1, 1), (result.Pushed, result.Unsent, mine.Unsent));
        await Person.RefusedAsync(Reason.Unreachable, () => a.Replica.AddCloudpeerAsync("http://127.0.0.1:" + ClientServer.Text(FreePort.Next()), cancellationToken: Cancel));

        await a.ReopenAsync();
        await server.RestartAsync();
        Assert.Equal(1, Assert.Single(await a.SyncAsync()).Pushed);
    }

    [Fact]
    public async Task An_invitation_made_offline_is_sent_by_the_next_sync_after_its_document()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var card = await a.Replica.ResolveAsync(b.Replica.Peer.ToString(), Cancel);
        await server.StopAsync();
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await Person.RefusedAsync(Reason.GrantRefused, () => a.Replica.InviteAsync(card, mine, cancellationToken: Cancel));
        await mine.GrantAsync(card, Permission.Read, Cancel);
        var id = await a.Replica.InviteAsync(card, mine, cancellationToken: Cancel);
        Assert.Equal([id], await a.Replica.QueuedInvitationsAsync(Cancel));
        await server.RestartAsync();
        await a.SyncAsync();
        Assert.Empty(await a.Replica.QueuedInvitationsAsync(Cancel));
        Assert.Equal(id, Assert.Single(await b.Replica.InvitationsAsync(Cancel)).Id);
        await b.Replica.DeclineAsync(id, Cancel);
        Assert.Empty(await b.Replica.InvitationsAsync(Cancel));
        await Person.RefusedAsync(Reason.InviteNotFound, () => b.Replica.AcceptAsync(id, Cancel));
    }

    [Fact]
    public async Task Another_server_at_the_same_address_gets_nothing()
    {
        await using var a = await Person.CreateAsync();
        var ports = FreePort.Next(2);
        (string, string)[] address = [("HTTP_PORT", ClientServer.Text(ports[0])), ("GRPC_PORT", ClientServer.Text(ports[1]))];
        await using (var first = await TestServer.StartAsync(StoreKind.Sqlite, postgres, address))
        {
            await a.Replica.AddCloudpeerAsync(first.HttpUrl, cancellationToken: Cancel);
        }

        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await using var second = await TestServer.StartAsync(StoreKind.Sqlite, postgres, address);
        var result = Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel));
        Assert.Equal(Reason.WrongServer, result.Error?.Reason);
        await Person.RefusedAsync(Reason.WrongServer, () => a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel));
        Assert.Equal(mine.EnvelopeCount, mine.Unsent);
    }

    [Theory]
    [BothStores]
    public async Task A_full_quota_keeps_everything_queued_and_says_which(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "6000"));
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var large = new string('x', 5_000);
        var edit = await mine.EditAsync(d => d["title"].Set(large), Cancel);
        var result = Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel));
        var refused = Assert.Single(result.Refused);
        Assert.Equal((edit.Envelope, Reason.QuotaExceeded), (refused.Envelope, refused.Reason));
        Assert.Equal((0, 1), (result.Pushed, result.Unsent));
        Assert.Contains(large, mine.ToJson(), StringComparison.Ordinal);
        var status = Assert.Single(await a.Replica.StatusAsync(Cancel));
        Assert.Equal(6_000UL, status.Quota);
        Assert.Equal(Reason.QuotaExceeded, Assert.Single(status.Refused).Reason);
    }

    [Fact]
    public async Task A_snapshot_that_is_larger_than_a_push_is_sent_in_pieces()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await InsertLargeAsync(mine, 20);
        await a.SyncAsync();
        Assert.InRange(await mine.SnapshotAsync(Cancel), 17, int.MaxValue);
        await mine.EditAsync(d => d["title"].Set("behind it"), Cancel);
        await a.SyncAsync();
        Assert.Empty(mine.Verify().Problems);
    }

    [Theory]
    [InlineData(300, 1, false)]
    [InlineData(520, 1, true)]
    [InlineData(20, 250_000, true)]
    public async Task A_change_that_is_larger_than_a_push_is_refused_and_said_and_a_smaller_one_is_sent_as_one(int envelopes, int length, bool isTooLarge)
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await InsertLargeAsync(mine, envelopes, length);
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            store.Database.Execute(
                "UPDATE envelope SET bundle = (SELECT min(row) FROM envelope e WHERE NOT EXISTS(SELECT 1 FROM held h WHERE h.row = e.row)) WHERE NOT EXISTS(SELECT 1 FROM held h WHERE h.row = envelope.row)");
        }

        await a.ReopenAsync();
        for (var again = 0; again < 2; again++)
        {
            var result = Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel));
            Assert.Equal((null, isTooLarge ? envelopes : 0), (result.Error, result.Unsent));
            Assert.All(result.Refused, refused => Assert.True(refused is { Reason: Reason.TooLarge } && refused.Message.Contains("doc withdraw", StringComparison.Ordinal)));
            Assert.Equal(isTooLarge, result.Refused.Count > 0);
        }
    }

    [Theory]
    [BothStores]
    public async Task A_second_cloudpeer_is_filled_with_everything_and_a_removed_one_gets_no_more(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(first);
        await using var b = await Person.CreateAsync(first);
        var (mine, theirs) = await a.ShareAsync(b);
        await theirs.EditAsync(d => d["title"].Set("by b"), Cancel);
        await b.SyncAsync();
        await a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        Assert.Equal(2, (await a.SyncAsync()).Count);
        Assert.Contains("by b", mine.ToJson(), StringComparison.Ordinal);
        Assert.Equal(0, mine.Unsent);
        await a.Replica.RemoveCloudpeerAsync(first.HttpUrl, Cancel);
        await Person.RefusedAsync(Reason.CloudpeerNotFound, () => a.Replica.RemoveCloudpeerAsync(first.HttpUrl, Cancel));
        await mine.EditAsync(d => d["title"].Set("without the first"), Cancel);
        Assert.Equal(second.HttpUrl, Assert.Single(await a.SyncAsync()).Url);
        await theirs.EditAsync(d => d["title"].Set("not hosted any more"), Cancel);
        var result = Assert.Single(await b.Replica.SyncAsync(cancellationToken: Cancel));
        Assert.Equal(Reason.NotHosted, Assert.Single(result.Refused).Reason);
    }

    [Fact]
    public async Task A_removed_cloudpeer_that_was_not_told_is_said_and_told_once_it_can_be_reached()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        var url = server.HttpUrl;
        await server.StopAsync();

        // What never was there needs not be told.
        await a.Replica.CreateAsync("todoapp", Cancel);
        Assert.Equal([mine.Id], await a.Replica.RemoveCloudpeerAsync(url, Cancel));
        Assert.Empty(await a.Replica.CloudpeersAsync(Cancel));

        await server.StartAsync();
        await a.Replica.AddCloudpeerAsync(url, only: [mine.Id], cancellationToken: Cancel);
        Assert.Empty(await a.Replica.RemoveCloudpeerAsync(url, Cancel));
        await theirs.EditAsync(d => d["title"].Set("not hosted any more"), Cancel);
        Assert.Equal(Reason.NotHosted, Assert.Single(Assert.Single(await b.Replica.SyncAsync(cancellationToken: Cancel)).Refused).Reason);
    }

    [Fact]
    public async Task A_removal_that_was_cut_off_still_says_what_the_cloudpeer_was_not_told()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var url = server.HttpUrl;
        await server.StopAsync();
        using var silent = new TcpListener(IPAddress.Loopback, new Uri(url).Port);
        silent.Start();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var removing = a.Replica.RemoveCloudpeerAsync(url, cut.Token);
        using var asked = await silent.AcceptTcpClientAsync(Cancel);
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => removing);
        silent.Stop();

        Assert.Equal([mine.Id], await a.Replica.RemoveCloudpeerAsync(url, Cancel));
        Assert.Empty(await a.Replica.CloudpeersAsync(Cancel));
    }

    [Fact]
    public async Task A_cloudpeer_that_is_used_under_another_address_is_one_cloudpeer()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var other = OtherName(server.HttpUrl);

        await a.Replica.AddCloudpeerAsync(other, cancellationToken: Cancel);

        Assert.Equal(other, Assert.Single(await a.Replica.CloudpeersAsync(Cancel)).Url);
        Assert.Equal((other, 0), (await a.SyncAsync()).Select(result => (result.Url, result.Unsent)).Single());
        await Person.RefusedAsync(Reason.CloudpeerNotFound, () => a.Replica.RemoveCloudpeerAsync(server.HttpUrl, Cancel));
        Assert.Contains(mine.Grants, grant => grant.Actor.Peer == server.Peer && grant.Holds);
        Assert.Empty(await a.Replica.RemoveCloudpeerAsync(other, Cancel));
        Assert.DoesNotContain(mine.Grants, grant => grant.Actor.Peer == server.Peer && grant.Holds);
    }

    [Fact]
    public async Task Leaving_gives_up_the_grant_and_removes_the_document()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await b.Replica.LeaveAsync(theirs.Id, Cancel);
        Assert.Empty(await b.Replica.DocumentsAsync(Cancel));
        await a.SyncAsync();
        Assert.False(mine.Grants.Single(grant => grant.Actor.Peer == b.Replica.Peer).Holds);
        Assert.All(mine.Log, entry => Assert.Equal(EnvelopeStatus.Applied, entry.Status));
    }

    private static async Task InsertLargeAsync(LocalDocument document, int edits, int length = 250_000)
    {
        for (var i = 0; i < edits; i++)
            await document.EditAsync((Transaction edit) => edit.Insert(".tasks", 0, Json.Parse($$"""{"title":"{{new string('x', length)}}"}""")), Cancel);
    }

    // The same server by its other name.
    private static string OtherName(string url) => url.Contains("localhost", StringComparison.Ordinal)
        ? url.Replace("localhost", "127.0.0.1", StringComparison.Ordinal)
        : url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
}
