using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>One document at two servers at once: each makes up for what the other lacks, and a replica sees one document.</summary>
public sealed class TwoServersTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task An_edit_made_through_one_server_reaches_a_member_who_uses_only_the_other(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(first);
        await a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        await using var b = await Person.CreateAsync(first);
        await using var c = await Person.CreateAsync(second);
        var (mine, atFirst) = await a.ShareAsync(b);
        await mine.GrantAsync(c.Replica.Card, Permission.Write, Cancel);
        await a.Replica.InviteAsync(c.Replica.Card, mine, "join us", Cancel);
        var atSecond = await c.AcceptAsync();
        await c.SyncAsync();

        await second.StopAsync();
        await atFirst.EditAsync(d => d["title"].Set("through the first"), Cancel);
        var results = await b.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.Equal([(first.HttpUrl, true)], results.Where(result => result.Error is null).Select(result => (result.Url, result.Complete)));
        await second.StartAsync();

        // Whoever uses both carries it over.
        await a.SyncAsync();
        await first.StopAsync();
        await c.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.Equal("\"through the first\"", atSecond.ToJson(".title"));
        await atSecond.EditAsync(d => d["title"].Set("through the second"), Cancel);
        await c.Replica.SyncAsync(cancellationToken: Cancel);
        await first.StartAsync();

        foreach (var person in new[] { a, b, c, a }) await person.SyncAsync();
        Assert.All(new[] { mine, atFirst, atSecond }, document => Assert.Equal("\"through the second\"", document.ToJson(".title")));
        Assert.Equal(mine.ToJson(allValues: true), atFirst.ToJson(allValues: true));
        Assert.Equal(mine.ToJson(allValues: true), atSecond.ToJson(allValues: true));
        Assert.Equal(mine.EnvelopeCount, atSecond.EnvelopeCount);
        Assert.All(new[] { mine, atFirst, atSecond }, document => Assert.Empty(document.Verify().Problems));
        Assert.Equal(2, (await a.Replica.StatusAsync(Cancel)).Count(status => status.Unsent == 0 && status.LastConfirmed is not null));
    }

    [Theory, BothStores]
    public async Task What_one_server_lost_is_filled_from_the_other_by_somebody_who_was_not_there(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(first);
        await a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        await using var b = await Person.CreateAsync(first);
        var (mine, theirs) = await a.ShareAsync(b);
        using var backup = await first.CopyAsync();
        await mine.EditAsync(d => d["title"].Set("after the backup"), Cancel);
        await a.SyncAsync();
        await a.Replica.DisposeAsync();
        await first.RestoreAsync(backup);
        await first.BeginGenerationAsync();
        await first.StartAsync();

        // The member pulls it from the one and gives it to the other.
        var results = await b.SyncAsync();
        Assert.Equal("\"after the backup\"", theirs.ToJson(".title"));
        Assert.InRange(results.Single(result => string.Equals(result.Url, first.HttpUrl, StringComparison.Ordinal)).Pushed, 1, int.MaxValue);
        Assert.All(theirs.Log.TakeLast(1), entry => Assert.Contains(first.HttpUrl, entry.Receipts, StringComparer.Ordinal));
        Assert.Empty(theirs.Verify().Problems);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task What_others_saw_of_a_restored_server_before_it_told_of_that_is_no_fault(int lost)
    {
        await using var first = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var second = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(first);
        await using var b = await Person.CreateAsync(first);
        foreach (var person in new[] { a, b }) await person.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        var (mine, theirs) = await a.ShareAsync(b);
        foreach (var person in new[] { a, b, a }) await person.SyncAsync();
        using var backup = await first.CopyAsync();
        await second.StopAsync();
        for (var i = 0; i < lost; i++) await theirs.EditAsync(d => d["title"].Set("only at the first"), Cancel);
        await b.Replica.SyncAsync(cancellationToken: Cancel);

        foreach (var server in new[] { first, second }) server.Clock.Advance(TimeSpan.FromHours(1));
        await first.RestoreAsync(backup);
        await first.BeginGenerationAsync();
        await first.StartAsync();
        for (var i = 0; i < 2; i++) await mine.EditAsync(d => d["title"].Set("after the restore"), Cancel);
        await a.Replica.SyncAsync(cancellationToken: Cancel);
        await mine.EditAsync(d => d["title"].Set("names the head of the new log"), Cancel);
        await first.StopAsync();
        await second.StartAsync();
        await a.Replica.SyncAsync(cancellationToken: Cancel);
        await b.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.Contains("names the head", theirs.ToJson(allValues: true), StringComparison.Ordinal);

        await first.StartAsync();
        Assert.Equal(lost, (await b.SyncAsync()).Single(result => string.Equals(result.Url, first.HttpUrl, StringComparison.Ordinal)).Restored?.Lost);
        foreach (var person in new[] { a, b }) await person.SyncAsync();
        Assert.All(new[] { mine, theirs }, document => Assert.Empty(document.Verify().Problems));
        Assert.Equal(mine.ToJson(), theirs.ToJson());
    }

    [Theory, BothStores]
    public async Task A_server_that_does_not_know_of_a_right_yet_and_gives_no_part_is_said_and_asked_again(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(first);
        await a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        await using var b = await Person.CreateAsync(first);
        await using var c = await Person.CreateAsync(first);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.GrantAsync(c.Replica.Card, Permission.Control, Cancel);
        await a.Replica.GrantAsync(mine.Id, new AccountActor(b.Replica.Account, b.Replica.Peer, b.Replica.Card.Bytes), Permission.Read, ".people", cancellationToken: Cancel);
        foreach (var person in new[] { b, c }) await a.Replica.InviteAsync(person.Replica.Card, mine, "join us", Cancel);
        var (part, whole) = (await b.AcceptAsync(), await c.AcceptAsync());
        foreach (var person in new[] { a, b, c }) await person.SyncAsync();

        await first.StopAsync();
        var edit = await mine.EditAsync(d => d["title"].Set("only at the second"), Cancel);
        await a.Replica.SyncAsync(cancellationToken: Cancel);
        await second.StopAsync();
        await first.StartAsync();
        await whole.GrantAsync(b.Replica.Card, Permission.Read, Cancel);
        foreach (var person in new[] { c, b }) await person.Replica.SyncAsync(cancellationToken: Cancel);
        await first.StopAsync();
        await second.StartAsync();

        var early = await AtSecondAsync();
        Assert.Equal([edit.Envelope], early.Withheld);
        Assert.False(early.Complete);
        Assert.Equal((null, 0), (early.Error, early.Unsent));
        Assert.DoesNotContain("only at the second", part.ToJson(), StringComparison.Ordinal);

        // By now it has been given the grant.
        Assert.True((await AtSecondAsync()).Complete);
        Assert.Equal("\"only at the second\"", part.ToJson(".title"));

        async Task<SyncResult> AtSecondAsync() =>
            (await b.Replica.SyncAsync(cancellationToken: Cancel)).Single(result => string.Equals(result.Url, second.HttpUrl, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_own_server_without_a_document_that_is_away_is_said_beside_the_others_each_time_that_it_goes()
    {
        await using var first = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var second = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(first);
        await using var b = await Person.CreateAsync(first, pace: 20);
        await using var c = await Person.CreateAsync(second);
        await a.ShareAsync(b);
        await b.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        Assert.All(await b.SyncAsync(), result => Assert.Equal(first.HttpUrl, result.Url));
        var later = await c.Replica.CreateAsync("todoapp", Cancel);
        await later.GrantAsync(b.Replica.Card, Permission.Read, Cancel);
        await c.Replica.InviteAsync(b.Replica.Card, later, "later", Cancel);
        var url = second.HttpUrl;
        await second.StopAsync();

        var results = await b.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.Equal([(first.HttpUrl, null), (url, Reason.Unreachable)], results.Select(result => (result.Url, result.Error?.Reason)));

        await using var watching = Watching.Start(b.Replica);
        await watching.UntilAsync(IsAway);
        await second.StartAsync();
        using var database = ReplicaDatabase.Open(b.Home);
        while (new PeopleTable(database).OpenInvitations().Count == 0) await c.SyncAsync();
        await second.StopAsync();
        await watching.UntilAsync(IsAway);

        bool IsAway(SyncResult result) => string.Equals(result.Url, url, StringComparison.Ordinal) && result.Error?.Reason == Reason.Unreachable;
    }

    [Theory, BothStores]
    public async Task Senders_see_how_far_each_device_is_unless_it_does_not_want_that(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.SyncAsync();
        Assert.True(b.Replica.ShowsDelivery);
        var before = await OfAsync(b);
        await mine.EditAsync(d => d["title"].Set("seen"), Cancel);
        await a.SyncAsync();
        Assert.Equal((before.Size, false), ((await OfAsync(b)).Size, (await OfAsync(b)).IsComplete));
        Assert.True((await OfAsync(a)).IsComplete);
        await b.SyncAsync();
        Assert.Equal(before.Size + 1, (await OfAsync(b)).Size);
        Assert.True((await OfAsync(b)).IsComplete);

        await b.Replica.ShowDeliveryAsync(false, Cancel);
        await b.ReopenAsync();
        Assert.False(b.Replica.ShowsDelivery);
        await mine.EditAsync(d => d["title"].Set("unseen"), Cancel);
        await a.SyncAsync();
        await b.SyncAsync();
        Assert.False((await OfAsync(b)).IsComplete);
        await b.Replica.ShowDeliveryAsync(true, Cancel);
        await b.SyncAsync();
        Assert.True((await OfAsync(b)).IsComplete);

        async Task<DeviceDelivery> OfAsync(Person person) => (await a.Replica.DeliveredAsync(null, Cancel)).Single(each => each.Device == person.Replica.Peer);
    }
}
