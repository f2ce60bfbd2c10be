using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting.Commands;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
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
    // Only so that what never comes fails instead of hanging; a busy machine takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

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
        Assert.Empty(moved.Waiting);
        Assert.Empty(moved.StillOpen);
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

        var full = await Person.RefusedAsync(Reason.QuotaExceeded, () => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel));

        Assert.StartsWith($"{to.HttpUrl} refused", full.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(from.HttpUrl, full.Message, StringComparison.Ordinal);

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
        Assert.Equal([document.Id], moved.StillOpen);
        await a.SyncAsync();
    }

    [Theory]
    [InlineData(TenantState.ReadOnly)]
    [InlineData(TenantState.ExportOnly)]
    [InlineData(TenantState.Suspended)]
    public async Task A_server_where_the_account_may_not_store_anything_can_be_left(TenantState state)
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        var document = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await HoldAsync(from, a, state);
        await document.EditAsync(d => d["title"].Set("not taken"), Cancel);
        var refused = Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused;
        Assert.Equal(Reason.SubscriptionReadOnly, Assert.Single(refused).Reason);

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);

        Assert.Equal((1, document.EnvelopeCount), (moved.Documents, moved.Envelopes));
        Assert.Equal([to.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_server_that_did_not_take_the_word_that_it_is_left_is_named_and_what_it_takes_later_comes_with_another_move()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        await HoldAsync(from, a, TenantState.ReadOnly);

        var steps = new Steps();
        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, steps, Cancel);

        Assert.Equal([mine.Id], moved.StillOpen);
        Assert.Equal(
            [MoveStep.Joined, MoveStep.Copied, MoveStep.Told, MoveStep.Switched, MoveStep.StillOpen, MoveStep.Finished], steps.Reported.Select(each => each.Step));
        Assert.Equal(moved.StillOpen, (await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel)).StillOpen);

        // The old one takes what a member writes who does not know the new one yet.
        await to.StopAsync();
        await theirs.EditAsync(d => d["title"].Set("to the old one"), Cancel);
        Assert.Contains((await b.Replica.SyncAsync(cancellationToken: Cancel)), result => result is { Complete: true } && string.Equals(result.Url, from.HttpUrl, StringComparison.Ordinal));
        await to.StartAsync();

        await HoldAsync(from, a, TenantState.Active);
        await a.Replica.AddCloudpeerAsync(from.HttpUrl, only: moved.StillOpen, cancellationToken: Cancel);
        var again = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);
        Assert.Empty(again.StillOpen);
        Assert.Equal("\"to the old one\"", mine.ToJson(".title"));
        await b.SyncAsync();
        await from.StopAsync();
        await a.SyncAsync();
        Assert.Equal(mine.ToJson(), theirs.ToJson());
    }

    [Fact]
    public async Task A_member_who_writes_to_the_old_server_all_the_time_does_not_keep_a_document_from_moving()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        var (writes, isWriting) = (0, true);

        // Whenever something was fetched from the old one and is about to be stored by the new one.
        to.Store = inner => Interception.Before(inner, (method, _, next) => method is nameof(IRelayStore.BeginAsync) && isWriting ? BeginAsync((Task<IRelayTransaction>)next()!) : next());
        await to.RestartAsync();
        var steps = new Steps
        {
            At = progress =>
            {
                isWriting &= progress.Step is not MoveStep.Told;
                return Task.CompletedTask;
            },
        };

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, steps, Cancel);

        Assert.InRange(writes, 8, 50);
        Assert.Equal((1, mine.EnvelopeCount), (moved.Documents, moved.Envelopes));
        Assert.Empty(moved.StillOpen);
        Assert.Equal([MoveStep.Joined, MoveStep.Told, MoveStep.Switched, MoveStep.Proven, MoveStep.Finished], steps.Reported.Select(each => each.Step));
        await b.SyncAsync();
        await a.SyncAsync();
        Assert.Equal($"\"write {ClientServer.Text(writes)}\"", mine.ToJson(".title"));
        Assert.Equal(mine.ToJson(), theirs.ToJson());

        async Task<IRelayTransaction> BeginAsync(Task<IRelayTransaction> begun)
        {
            await theirs.EditAsync(d => d["title"].Set($"write {ClientServer.Text(++writes)}"), Cancel);
            await b.Replica.SyncAsync(cancellationToken: Cancel);
            return await begun;
        }
    }

    [Theory]
    [InlineData(MoveStep.Joined, "nothing was given up")]
    [InlineData(MoveStep.Switched, "was told that it is left")]
    public async Task What_the_old_server_lists_and_does_not_hand_out_is_named(MoveStep since, string meaning)
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        var document = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        var (never, isLying) = (new EnvelopeId(Hashing.Sha256("never there"u8)), false);
        from.Store = inner => Interception.Before(inner, (method, _, next) => method is nameof(IRelayStore.ReadIdsAsync) && isLying ? LieAsync((Task<IReadOnlyList<LogPlace>>)next()!) : next());
        await from.RestartAsync();
        var steps = new Steps
        {
            At = progress =>
            {
                isLying |= progress.Step == since;
                return Task.CompletedTask;
            },
        };

        var refused = await Person.RefusedAsync(Reason.Unavailable, () => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, steps, Cancel));

        Assert.Contains(never.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(meaning, refused.Message, StringComparison.Ordinal);
        Assert.Equal([from.HttpUrl, to.HttpUrl], (await a.Replica.CloudpeersAsync(Cancel)).Select(cloudpeer => cloudpeer.Url), StringComparer.Ordinal);
        Assert.Equal(since == MoveStep.Joined, document.Grants.Single(grant => grant.Actor.Peer == from.Peer).Holds);

        async Task<IReadOnlyList<LogPlace>> LieAsync(Task<IReadOnlyList<LogPlace>> read)
        {
            var places = await read;
            return [.. places.SkipLast(1), places[^1] with { Id = never }];
        }
    }

    [Fact]
    public async Task Who_has_no_inbox_is_named_also_after_the_move_was_cut_off()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var nobody = await Person.CreateAsync(from, added: false);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.GrantAsync(nobody.Replica.Card, Permission.Read, Cancel);
        var cut = new Steps { At = progress => progress.Step == MoveStep.Told ? throw new CutOffException() : Task.CompletedTask };
        await Assert.ThrowsAsync<CutOffException>(() => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, cut, Cancel));
        await a.ReopenAsync();

        Assert.Equal([nobody.Replica.Account], (await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel)).Untold);
        await a.ReopenAsync();
        Assert.Equal([nobody.Replica.Account], (await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel)).Untold);
    }

    [Fact]
    public async Task Whose_inbox_cannot_be_reached_is_named_until_the_word_has_arrived_there_or_elsewhere()
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var gone = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(gone);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.GrantAsync(await a.Replica.ResolveAsync($"{b.Replica.Account}@{gone.HttpUrl}", Cancel), Permission.Read, Cancel);
        await a.SyncAsync();
        await gone.StopAsync();

        var moved = await a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);

        Assert.Empty(moved.Untold);
        Assert.Equal([b.Replica.Account], moved.Waiting);
        await a.SyncAsync();
        Assert.Equal([b.Replica.Account], (await WaitingAsync()).Waiting);

        // Their server never comes back, and they have another one now.
        await b.Replica.AddCloudpeerAsync(to.HttpUrl, cancellationToken: Cancel);
        await a.SyncAsync();
        Assert.Empty((await WaitingAsync()).Waiting);

        Task<MoveResult> WaitingAsync() => a.Replica.MoveCloudpeerAsync(from.HttpUrl, to.HttpUrl, null, Cancel);
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

        await arrived.Task.WaitAsync(Patience, Cancel);
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
        Assert.Contains(message.Id, (await WaitingAsync()).Select(each => each.Id));

        Assert.Equal([from.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
        Assert.Equal([from.HttpUrl], (await a.SyncAsync()).Select(result => result.Url), StringComparer.Ordinal);
        Assert.Empty(await a.Replica.InvitationsAsync(Cancel));
        Assert.Empty(await WaitingAsync());

        async Task<IReadOnlyList<InboxEntry>> WaitingAsync()
        {
            using var replica = ReplicaDatabase.Open(a.Home);
            using var own = new IdentityTable(replica).Load().Keys;
            await using var inbox = new CloudpeerConnection(from.GrpcUrl, from.Peer, own.Device, SystemEntropy.Instance, from.Clock);
            return await inbox.ReceiveAsync(Cancel);
        }
    }

    [Theory]
    [InlineData(Permission.Write)]
    [InlineData(Permission.Control)]
    public async Task An_invitation_to_a_document_that_is_here_changes_no_pin_and_is_believed_only_of_who_may_administer_it(Permission permission)
    {
        await using var from = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var to = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(from);
        await using var b = await Person.CreateAsync(from);
        await using var c = await Person.CreateAsync(from);
        var (mine, theirs) = await a.ShareAsync(b);
        await mine.GrantAsync(c.Replica.Card, permission, Cancel);
        foreach (var person in new[] { a, b }) await person.SyncAsync();
        await theirs.EditAsync(d => d["title"].Set("unsent"), Cancel);
        var invitation = new Invitation(
            mine.Id, [new(from.Peer, "http://localhost:1"), new(to.Peer, to.HttpUrl)], mine.Grants[0].Id, "todoapp", "", [new(from.Peer, 1_000, default)], []);
        var (connection, keys) = await c.ConnectAsync(from);
        await using (connection)
        using (keys)
            await connection.SendAsync(SealedMessage.Seal(SystemEntropy.Instance, keys, b.Replica.Card, Invitation.MessageType, 1, invitation.Encode()).Bytes, null, Cancel);

        await b.AcceptAsync();
        var results = (await b.Replica.SyncAsync(cancellationToken: Cancel)).ToDictionary(result => result.Url, StringComparer.Ordinal);

        // What no grant of the document names is asked, and sent nothing.
        using var database = ReplicaDatabase.Open(b.Home);
        InvitedServer[] expected = permission == Permission.Control ? [new(from.Peer, from.HttpUrl), new(to.Peer, to.HttpUrl)] : [new(from.Peer, from.HttpUrl)];
        Assert.Equal(expected.ToHashSet(), new CustodyTable(database).Addresses(mine.Id).ToHashSet());
        Assert.Equal((null, 1, 0), (results[from.HttpUrl].Error, results[from.HttpUrl].Pushed, results[from.HttpUrl].Unsent));
        Assert.Equal(permission == Permission.Control, results.TryGetValue(to.HttpUrl, out var atOther));
        if (atOther is not null) Assert.Equal((Reason.NotFound, 0), (atOther.Error?.Reason, atOther.Refused.Count));
    }

    // As an operator does; a running server sees it a little later.
    private static async Task HoldAsync(TestServer server, Person person, TenantState state)
    {
        await UserCommand.HoldAsync(server.Settings(), server.Clock, TextWriter.Null, person.Replica.Account.ToString(), state.ToText(), json: false, Cancel);
        server.Clock.Advance(AccountLimits.Remembered);
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
