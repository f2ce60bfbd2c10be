using CloudPeer.Api.Tests.Client;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>Limits and deletions as a person meets them: replicas and a real server.</summary>
public sealed class TenancyClientTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task What_found_no_room_is_named_and_sent_by_the_next_sync_after_another_document_was_deleted(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "16000"));
        await using var a = await Person.CreateAsync(server);
        var (large, small) = (await CreateAsync(a, 8_000), await CreateAsync(a, 0));
        await a.SyncAsync();
        var edit = await FillAsync(small, 6_000);

        var full = (await a.Replica.SyncAsync(cancellationToken: Cancel)).Single(result => result.Document == small.Id);
        var refused = Assert.Single(full.Refused);
        var used = (await EntitlementAsync(server, a)).UsedBytes;
        Assert.Equal((edit, Reason.QuotaExceeded, new QuotaUse(QuotaResource.Storage, 16_000, used)), (refused.Envelope, refused.Reason, refused.Quota));
        Assert.Equal((0, 1, null), (full.Pushed, full.Unsent, full.Error));

        // Reading and exporting go on, and the status says what fills the quota.
        await a.Replica.ExportAsync(Path.Combine(a.Home, "..", "export"), "correct horse", Cancel);
        var status = await a.Replica.StatusAsync(Cancel);
        Assert.All(status, each => Assert.Equal((16_000UL, used, "active", large.Id), (each.Quota, each.Used, each.State, each.Largest[0].Document)));
        Assert.Equal(used, (ulong)status[0].Largest.Sum(each => (long)each.StoredBytes));
        Assert.Equal(refused.Quota, status.Single(each => each.Document == small.Id).Refused[0].Quota);

        var deleted = await a.Replica.DeleteEverywhereAsync(large.Id, Cancel);
        Assert.Equal(status.Single(each => each.Document == large.Id).Stored, Assert.Single(deleted.Servers).Value);
        Assert.Equal(used - deleted.Servers.Values.Single(), Assert.Single(await a.Replica.StatusAsync(Cancel)).Used);
        Assert.Equal(1, Assert.Single(await a.SyncAsync()).Pushed);
        Assert.Empty(Assert.Single(await a.Replica.StatusAsync(Cancel)).Refused);
    }

    [Theory, BothStores]
    public async Task A_watch_sends_what_found_no_room_by_itself_whoever_makes_room(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "24000"));
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var large = await CreateAsync(a, 10_000);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.SyncAsync();
        await using (var watching = Watching.Start(b.Replica))
        {
            // The room is a's, and b is not told when there is some.
            var edit = await FillAsync(theirs, 9_000);
            var refused = await watching.UntilAsync(result => result.Refused.Count > 0);
            Assert.Equal((edit, Reason.QuotaExceeded), (Assert.Single(refused.Refused).Envelope, refused.Refused[0].Reason));
            await a.Replica.DeleteEverywhereAsync(large.Id, Cancel);
            var sent = await watching.UntilAsync(result => result.Unsent == 0);
            Assert.Empty(sent.Refused);
        }

        await a.SyncAsync();
        Assert.Equal(theirs.ToJson(), mine.ToJson());
    }

    [Theory, BothStores]
    public async Task A_new_document_that_found_no_room_is_hosted_and_followed_as_soon_as_there_is_some(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_DOCUMENTS", "1"));
        await using var a = await Person.CreateAsync(server);
        var first = await CreateAsync(a, 0);
        await a.SyncAsync();
        var second = await CreateAsync(a, 0);
        await using var watching = Watching.Start(a.Replica);
        var refused = await watching.UntilAsync(result => result.Document == second.Id && result.Refused.Count > 0);
        Assert.Equal(new QuotaUse(QuotaResource.Documents, 1, 1), refused.Refused[0].Quota);

        await a.Replica.DeleteEverywhereAsync(first.Id, Cancel);
        await watching.UntilAsync(result => result.Document == second.Id && result.Unsent == 0 && result.Head is not null);

        // Followed: what another process stores there arrives.
        await using (var another = await LocalFirst.OpenAsync(a.Options, Cancel))
        {
            await FillAsync(await another.OpenDocumentAsync(second.Id, Cancel), 10);
            await another.SyncAsync(cancellationToken: Cancel);
        }

        await watching.UntilAsync(result => result.Document == second.Id && result.Head?.Size == (ulong)second.EnvelopeCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_found_no_room_for_today_waits_as_long_as_the_server_says(bool isNew)
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres, ("LOCAL_PLAN_ENVELOPES_PER_DAY", "20"));
        server.Clock.Advance(server.Clock.GetUtcNow().Date.AddDays(1) - server.Clock.GetUtcNow().UtcDateTime - TimeSpan.FromMinutes(20));
        await using var a = await Person.CreateAsync(server);
        var document = await CreateAsync(a, 0);
        if (!isNew) await a.SyncAsync();
        for (var i = 0; i < 20; i++) await FillAsync(document, i);

        var midnight = new LongWait(a.Options.Time, TimeSpan.FromMinutes(19));
        await a.Replica.DisposeAsync();
        await using var replica = await LocalFirst.OpenAsync(a.Options with { Time = midnight }, Cancel);
        await using var watching = Watching.Start(replica);
        var refused = await watching.UntilAsync(result => result.Refused.Count > 0);
        Assert.Equal(QuotaResource.EnvelopesPerDay, refused.Refused[0].Quota?.Resource);
        Assert.InRange(await midnight.Begun.WaitAsync(TimeSpan.FromMinutes(2), Cancel), TimeSpan.FromMinutes(19), TimeSpan.FromMinutes(20.5));
    }

    [Theory, BothStores]
    public async Task After_its_host_deleted_a_document_honest_clients_that_know_the_old_log_take_the_new_one_for_no_rollback(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await FillAsync(theirs, 100);
        await b.SyncAsync();
        await a.SyncAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await a.DeleteOnServerAsync(server, mine.Id);
        Assert.Equal(Reason.NotFound, Assert.Single(await b.Replica.SyncAsync(cancellationToken: Cancel)).Error?.Reason);
        server.Clock.Advance(TimeSpan.FromSeconds(1));

        // Its host still has it, and so hosts it again.
        await FillAsync(mine, 50);
        Assert.Equal(0UL, Assert.Single(await a.SyncAsync()).Restored?.Size);
        await FillAsync(theirs, 60);
        foreach (var (person, document) in new[] { (b, theirs), (a, mine), (b, theirs) })
        {
            Assert.True(Assert.Single(await person.SyncAsync()) is { Head: not null, Error: null });
            Assert.Null(Assert.Single(await person.Replica.StatusAsync(Cancel)).Fault);
            Assert.Empty(document.Verify().Problems);
        }

        Assert.Equal(mine.ToJson(), theirs.ToJson());
    }

    [Theory, BothStores]
    public async Task Deleting_everywhere_needs_every_server_that_has_it_and_leaves_nothing_behind(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(first);
        await a.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        var mine = await CreateAsync(a, 500);
        await a.SyncAsync();
        await second.StopAsync();
        await Person.RefusedAsync(Reason.Unreachable, () => a.Replica.DeleteEverywhereAsync(mine.Id, Cancel));
        Assert.Single(await a.Replica.DocumentsAsync(Cancel));
        Assert.NotEqual(0UL, (await EntitlementAsync(first, a)).UsedBytes);

        await second.StartAsync();
        var id = mine.Id;
        var deleted = await a.Replica.DeleteEverywhereAsync(id, Cancel);
        Assert.Equal([first.HttpUrl, second.HttpUrl], deleted.Servers.Keys, StringComparer.Ordinal);
        Assert.All(deleted.Servers.Values, freed => Assert.Equal((ulong)deleted.LocalBytes, freed));
        Assert.Equal((0UL, 0UL), ((await EntitlementAsync(first, a)).UsedBytes, (await EntitlementAsync(second, a)).UsedBytes));
        Assert.Empty(await a.Replica.DocumentsAsync(Cancel));
        Assert.Empty(await a.Replica.SyncAsync(cancellationToken: Cancel));
        await Person.RefusedAsync(Reason.DocumentNotFound, () => a.Replica.DeleteEverywhereAsync(id, Cancel));
        await a.Replica.DisposeAsync();
        Assert.All(Directory.GetFiles(a.Home), file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(id.Value.ToArray())));
    }

    [Fact]
    public async Task A_document_that_is_only_on_a_server_any_more_can_be_deleted_there_by_its_id()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await CreateAsync(a, 100);
        await a.SyncAsync();
        await a.Replica.RemoveAsync(mine.Id, Cancel);

        var deleted = await a.Replica.DeleteEverywhereAsync(mine.Id, Cancel);

        Assert.Equal((0L, true), (deleted.LocalBytes, Assert.Single(deleted.Servers).Value > 0));
        Assert.Equal(0UL, (await EntitlementAsync(server, a)).UsedBytes);
    }

    [Fact]
    public async Task Leaving_while_no_server_can_be_told_keeps_the_document_until_one_can()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await server.StopAsync();
        await Person.RefusedAsync(Reason.Unreachable, () => b.Replica.LeaveAsync(theirs.Id, Cancel));
        Assert.Single(await b.Replica.DocumentsAsync(Cancel));

        await server.StartAsync();
        await b.Replica.LeaveAsync(theirs.Id, Cancel);
        Assert.Empty(await b.Replica.DocumentsAsync(Cancel));
        await a.SyncAsync();
        Assert.False(mine.Grants.Single(grant => grant.Actor.Peer == b.Replica.Peer).Holds);
    }

    [Theory, BothStores]
    public async Task The_app_that_a_cloudpeer_was_added_with_is_what_new_documents_count_to(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server, added: false);
        await a.Replica.AddCloudpeerAsync(server.HttpUrl, "app_notes", cancellationToken: Cancel);
        var mine = await CreateAsync(a, 100);
        await a.SyncAsync();
        var own = await a.ConnectAsync(server);
        await using var connection = own.Connection;
        using var keys = own.Keys;
        Assert.Equal((mine.Id, "app_notes"), ((await connection.GetUsageAsync(10, Cancel))[0].Document, (await connection.GetUsageAsync(10, Cancel))[0].App));

        var budget = await connection.SetAppBudgetAsync("app_notes", 1, Cancel);
        Assert.Equal(new PlanLimit("app-storage", "app_notes", 1, budget.UsedBytes), budget.Limits[^1]);
        await FillAsync(mine, 10);
        var refused = Assert.Single(Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused);
        Assert.Equal(new QuotaUse(QuotaResource.AppStorage, 1, budget.UsedBytes), refused.Quota);
        await connection.SetAppBudgetAsync("app_notes", 0, Cancel);
        await a.SyncAsync();
    }

    // Tells when something begins to wait at least so long.
    private sealed class LongWait(TimeProvider inner, TimeSpan least) : TimeProvider
    {
        private readonly TaskCompletionSource<TimeSpan> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TimeSpan> Begun => _begun.Task;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime >= least) _begun.TrySetResult(dueTime);
            return inner.CreateTimer(callback, state, dueTime, period);
        }
    }

    private static async Task<LocalDocument> CreateAsync(Person person, int letters)
    {
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        if (letters > 0) await FillAsync(document, letters);
        return document;
    }

    private static async Task<EnvelopeId> FillAsync(LocalDocument document, int letters) =>
        (await document.EditAsync(d => d["title"].Set(new string('x', letters)), Cancel)).Envelope;

    private static async Task<Entitlement> EntitlementAsync(TestServer server, Person person)
    {
        var own = await person.ConnectAsync(server);
        await using var connection = own.Connection;
        using var keys = own.Keys;
        return await connection.GetEntitlementAsync(Cancel);
    }
}
