using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Moving between two real servers (docs/protocol/sync.md §9): nothing is given up before it is proven elsewhere, and the others follow.</summary>
public sealed class MoveTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Everything_is_at_the_new_server_and_the_members_follow_by_themselves(StoreKind store)
    {
        await using var from = await ClientServer.StartAsync(store, postgres);
        await using var to = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        var alone = await a.Replica.CreateAsync("todoapp", Cancel);
        for (var i = 0; i < 40; i++) await alone.EditAsync(d => d["title"].Set($"edit {ClientServer.Text(i)}"), Cancel);
        await theirs.EditAsync(d => d["title"].Set("of b, before"), Cancel);
        await b.SyncAsync();

        var steps = new Steps();
        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, steps, Cancel);

        Assert.Equal((2, mine.EnvelopeCount + alone.EnvelopeCount), (moved.Documents, moved.Envelopes));
        Assert.Empty(moved.LeftAlone);
        Assert.Empty(moved.Untold);
        Assert.Equal(
            [MoveStep.Joined, MoveStep.Copied, MoveStep.Copied, MoveStep.Told, MoveStep.Switched, MoveStep.Proven, MoveStep.Proven, MoveStep.Finished],
            steps.Reported.Select(each => each.Step));
        Assert.Equal([to.HttpUrl], (await a.Replica.CloudpeersAsync(Cancel)).Select(cloudpeer => cloudpeer.Url), StringComparer.Ordinal);
        Assert.Equal([to.HttpUrl, to.HttpUrl], (await a.Replica.StatusAsync(Cancel)).Select(status => status.Url), StringComparer.Ordinal);
        Assert.Equal("\"of b, before\"", mine.ToJson(".title"));

        // The old one takes nothing more, and the member's one call of sync goes to the new one.
        await theirs.EditAsync(d => d["title"].Set("of b, after"), Cancel);
        var synced = await b.SyncAsync();
        Assert.Equal([to.HttpUrl], synced.Select(result => result.Url), StringComparer.Ordinal);
        await from.StopAsync();
        Assert.Equal([to.HttpUrl, to.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
        Assert.Equal("\"of b, after\"", mine.ToJson(".title"));
        await mine.EditAsync(d => d["title"].Set("of a, after"), Cancel);
        await a.SyncAsync();
        await b.SyncAsync();
        Assert.Equal("\"of a, after\"", theirs.ToJson(".title"));
        foreach (var document in new[] { mine, theirs, alone }) Assert.Empty(document.Verify().Problems);
    }

    [Theory]
    [InlineData(MoveStep.Joined)]
    [InlineData(MoveStep.Copied)]
    [InlineData(MoveStep.Told)]
    [InlineData(MoveStep.Switched)]
    [InlineData(MoveStep.Proven)]
    [InlineData(MoveStep.Finished)]
    public async Task A_move_that_is_cut_off_is_gone_on_with(MoveStep at)
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (shared, theirs) = await a.ShareAsync(b);
        var id = shared.Id;
        await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var cut = new Steps { At = progress => progress.Step == at ? throw new CutOffException() : Task.CompletedTask };
        await Assert.ThrowsAsync<CutOffException>(() => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, cut, Cancel));
        await a.ReopenAsync();

        // Meanwhile both go on, each with what is known of the servers.
        await theirs.EditAsync(d => d["people"].Row("Bob").Set(new { age = 3 }), Cancel);
        await b.Replica.SyncAsync(cancellationToken: Cancel);
        var mine = await a.Replica.OpenDocumentAsync(id, Cancel);
        await mine.EditAsync(d => d["people"].Row("Ann").Set(new { age = 4 }), Cancel);
        await a.Replica.SyncAsync(cancellationToken: Cancel);

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);

        Assert.Equal(2, moved.Documents);
        Assert.Equal([to.HttpUrl], (await a.Replica.CloudpeersAsync(Cancel)).Select(cloudpeer => cloudpeer.Url), StringComparer.Ordinal);
        await b.SyncAsync();
        await from.StopAsync();
        await a.SyncAsync();
        await b.SyncAsync();
        Assert.Equal("3", mine.ToJson(".people[\"Bob\"].age"));
        Assert.Equal(mine.ToJson(allValues: true), theirs.ToJson(allValues: true));
    }

    [Theory, BothStores]
    public async Task What_a_member_writes_while_it_moves_arrives(StoreKind store)
    {
        await using var from = await ClientServer.StartAsync(store, postgres);
        await using var to = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        var written = new List<string>();
        var steps = new Steps
        {
            At = async progress =>
            {
                written.Add($"{progress.Step}");
                await theirs.EditAsync(d => d["people"].Row(written[^1]).Set(new { age = 1 }), Cancel);
                await b.Replica.SyncAsync(cancellationToken: Cancel);
            },
        };

        await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, steps, Cancel);
        await b.SyncAsync();
        await from.StopAsync();
        await a.SyncAsync();

        Assert.Contains("Switched", written, StringComparer.Ordinal);
        Assert.All(written, row => Assert.Equal("1", mine.ToJson($".people[\"{row}\"].age")));
        Assert.Equal(mine.ToJson(), theirs.ToJson());
    }

    [Theory, BothStores]
    public async Task A_full_new_server_is_named_the_old_one_stays_and_with_room_it_goes_on(StoreKind store)
    {
        await using var from = await ClientServer.StartAsync(store, postgres);
        await using var to = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "20000"));
        await using var a = await Person.CreateAsync(from);
        var document = await a.Replica.CreateAsync("todoapp", Cancel);
        for (var i = 0; i < 60; i++) await document.EditAsync(d => d["title"].Set($"{ClientServer.Text(i)} {new string('x', 300)}"), Cancel);
        await a.SyncAsync();

        await Person.RefusedAsync(Reason.QuotaExceeded, () => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel));

        Assert.Equal([from.HttpUrl, to.HttpUrl], (await a.Replica.CloudpeersAsync(Cancel)).Select(cloudpeer => cloudpeer.Url), StringComparer.Ordinal);
        await document.EditAsync(d => d["title"].Set("still taken"), Cancel);
        var results = await a.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.True(results.Single(result => string.Equals(result.Url, from.HttpUrl, StringComparison.Ordinal)).Complete);
        await to.RestartAsync(("LOCAL_PLAN_BYTES", "0"));
        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);
        Assert.Equal((1, document.EnvelopeCount), (moved.Documents, moved.Envelopes));
        await from.StopAsync();
        await a.SyncAsync();
    }

    [Fact]
    public async Task A_server_that_is_full_can_be_left()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres, ("LOCAL_PLAN_BYTES", "20000"));
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        var document = await a.Replica.CreateAsync("todoapp", Cancel);
        for (var i = 0; i < 60; i++) await document.EditAsync(d => d["title"].Set($"{ClientServer.Text(i)} {new string('x', 300)}"), Cancel);
        Assert.NotEmpty(Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused);

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);

        Assert.Equal((1, document.EnvelopeCount), (moved.Documents, moved.Envelopes));
        await a.SyncAsync();
    }

    [Fact]
    public async Task Without_the_new_server_or_the_old_one_nothing_changes()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        var document = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var url = to.HttpUrl;
        await to.StopAsync();
        await Person.RefusedAsync(Reason.Unreachable, () => a.Replica.MoveCloudpeerAsync(from.HttpUrl, url, null, Cancel));
        Assert.Equal([from.HttpUrl], (await a.Replica.CloudpeersAsync(Cancel)).Select(cloudpeer => cloudpeer.Url), StringComparer.Ordinal);
        await a.SyncAsync();

        await to.StartAsync();
        await Person.RefusedAsync(Reason.BadArgument, () => a.Replica.MoveCloudpeerAsync(from.HttpUrl, from.HttpUrl, null, Cancel));
        await Person.RefusedAsync(Reason.CloudpeerNotFound, () => a.Replica.MoveCloudpeerAsync(to.HttpUrl, from.HttpUrl, null, Cancel));
        var old = from.HttpUrl;
        await from.StopAsync();
        await Person.RefusedAsync(Reason.Unreachable, () => a.Replica.MoveCloudpeerAsync(old, to.HttpUrl, null, Cancel));
        await from.StartAsync();
        var moved = await a.Replica.MoveCloudpeerAsync(old, to.HttpUrl, null, Cancel);
        Assert.Equal(document.EnvelopeCount, moved.Envelopes);

        // Whoever was cut off before the answer came asks again.
        var again = await a.Replica.MoveCloudpeerAsync(old, to.HttpUrl, null, Cancel);
        Assert.Equal((moved.Documents, moved.Envelopes), (again.Documents, again.Envelopes));
        await Person.RefusedAsync(Reason.CloudpeerNotFound, () => a.Replica.MoveCloudpeerAsync(old, "http://localhost:1", null, Cancel));
    }

    [Fact]
    public async Task What_others_keep_is_left_alone_what_waits_in_the_inbox_comes_along_and_who_has_no_inbox_is_named()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        await using var nobody = await Person.CreateAsync(from, added: false);
        var (hers, here) = await b.ShareAsync(a);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.GrantAsync(nobody.Replica.Card, Permission.Read, Cancel);
        var waiting = await b.Replica.CreateAsync("todoapp", Cancel);
        await waiting.GrantAsync(a.Replica.Card, Permission.Read, Cancel);
        await b.Replica.InviteAsync(a.Replica.Card, waiting, "later", Cancel);

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);

        Assert.Equal((1, here.Id, nobody.Replica.Account), (moved.Documents, Assert.Single(moved.LeftAlone), Assert.Single(moved.Untold)));
        Assert.Equal(waiting.Id, Assert.Single(await a.Replica.InvitationsAsync(Cancel)).Document);
        await here.EditAsync(d => d["title"].Set("from elsewhere"), Cancel);
        Assert.Equal(new Dictionary<DocId, string> { [here.Id] = from.HttpUrl, [mine.Id] = to.HttpUrl }, (await a.SyncAsync()).ToDictionary(result => result.Document, result => result.Url));
        await b.SyncAsync();
        Assert.Equal("\"from elsewhere\"", hers.ToJson(".title"));
    }

    [Fact]
    public async Task A_member_who_stays_connected_follows_without_being_started_again()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var watch = theirs.Watch(".title", change =>
        {
            if (change.Value?.ToString() is { } title && title.Contains("from the new server", StringComparison.Ordinal)) arrived.TrySetResult();
        });
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var watching = b.Replica.SyncAsync(new() { Watch = true }, cancellationToken: stopping.Token);

        await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);
        await mine.EditAsync(d => d["title"].Set("from the new server"), Cancel);
        await a.SyncAsync();

        await arrived.Task.WaitAsync(Cancel);
        await stopping.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task Nobody_is_believed_where_a_document_is_who_may_not_administer_it()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, _) = await a.ShareAsync(b);
        var relocation = new Relocation(new(to.Peer, to.HttpUrl), [mine.Id]);
        using var database = ReplicaDatabase.Open(b.Home);
        using var keys = new IdentityTable(database).Load().Keys;
        var message = SealedMessage.Seal(SystemEntropy.Instance, keys, a.Replica.Card, Relocation.MessageType, 1, relocation.Encode());
        await using (var connection = new CloudpeerConnection(from.GrpcUrl, from.Peer, keys.Device, SystemEntropy.Instance, from.Clock))
            await connection.SendAsync(message.Bytes, null, Cancel);

        Assert.Equal([from.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
        Assert.Equal([from.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
        Assert.Empty(await a.Replica.InvitationsAsync(Cancel));
    }

    private sealed class CutOffException : Exception;

    /// <summary>Notes what was done, and does something then: before the move goes on.</summary>
    private sealed class Steps : IProgress<MoveProgress>
    {
        public List<MoveProgress> Reported { get; } = [];

        public Func<MoveProgress, Task> At { get; init; } = _ => Task.CompletedTask;

        public void Report(MoveProgress value)
        {
            Reported.Add(value);
            At(value).GetAwaiter().GetResult();
        }
    }
}
