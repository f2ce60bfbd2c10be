using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>What a relay relies on, the same for every store.</summary>
public abstract class RelayStoreContract : IAsyncLifetime
{
    private IRelayStore? _store;
    private RelayWorld? _world;

    private protected RelayWorld World => _world!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Another store over the same database; the memory store can only be shared.</summary>
    private protected abstract Task<IRelayStore> OpenAsync();

    public async ValueTask InitializeAsync()
    {
        _store = await OpenAsync();
        _world = new(_store);
    }

    [Fact]
    public async Task What_was_pushed_is_read_back_byte_for_byte_also_by_a_relay_that_remembers_nothing()
    {
        var (owner, writer) = (World.Tenant(), World.Device());
        var document = await World.HostedAsync(owner);
        await World.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write));
        for (var i = 0; i < 5; i++)
        {
            await World.AcceptAsync(writer, document, document.NextDelta(writer, 300), document.NextDelta(writer));
            await World.AcceptAsync(owner, document, document.NextDelta(owner, 5000));
        }

        await using var cold = World.Start(await OpenAsync());
        foreach (var relay in new[] { World.Relay, cold })
        {
            var entries = await RelayWorld.ReadAllAsync(relay, writer, document.Id);
            Assert.Equal(document.Envelopes.Select(envelope => (envelope.Id, envelope.Header.Author)), entries.Select(entry => (entry.Id, entry.Author)));
            Assert.All(document.Envelopes.Zip(entries), pair => Assert.True(pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span)));
        }

        Assert.True((await RelayWorld.PushAsync(cold, writer, document.Id, document.NextDelta(writer))).Succeeded);
        await AssertUsageAsync(owner, document);
    }

    [Fact]
    public async Task The_same_push_has_the_same_receipts_however_long_ago_and_whoever_answers()
    {
        var (owner, writer) = (World.Tenant(), World.Device());
        var document = await World.HostedAsync(owner);
        await World.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write));
        var bundle = Enumerable.Range(0, 3).Select(_ => document.NextDelta(writer)).ToArray();
        var receipts = RelayWorld.Text(await World.AcceptAsync(writer, document, bundle));
        for (var i = 0; i < 40; i++) await World.AcceptAsync(owner, document, document.NextDelta(i % 2 == 0 ? owner : writer));

        await using var forgetful = World.Start(await OpenAsync(), new() { RecentIds = 2 });
        foreach (var relay in new[] { World.Relay, forgetful, forgetful })
        {
            var again = await RelayWorld.PushAsync(relay, owner, document.Id, bundle);
            Assert.Equal(receipts, RelayWorld.Text(again.Value!));
        }

        // Another envelope with a number that was passed long ago is a fork, not a repetition.
        var fork = document.Delta(writer, document.Draft(writer.Public) with { Seq = 2, Prev = bundle[0].Id });
        Assert.Equal(Reason.ChainBroken, (await RelayWorld.PushAsync(forgetful, writer, document.Id, fork)).Refusal!.Reason);
        Assert.Equal(document.Envelopes.Count, (await RelayWorld.ReadAllAsync(World.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task Deps_are_found_however_far_back_and_missed_when_they_are_not_there()
    {
        var (owner, writer) = (World.Tenant(), World.Device());
        var document = await World.HostedAsync(owner);
        await World.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write));
        var old = document.NextDelta(owner);
        await World.AcceptAsync(owner, document, old);
        for (var i = 0; i < 20; i++) await World.AcceptAsync(owner, document, document.NextDelta(owner));

        await using var forgetful = World.Start(await OpenAsync(), new() { RecentIds = 2 });
        var missing = new EnvelopeId(new(World.Entropy.Bytes(32)));
        var draft = document.Draft(writer.Public);
        var refusal = await RelayWorld.PushAsync(forgetful, writer, document.Id, document.Delta(writer, draft with { Deps = [old.Id, missing] }));
        Assert.Equal(Reason.DepsMissing, refusal.Refusal!.Reason);
        Assert.True((await RelayWorld.PushAsync(forgetful, writer, document.Id, document.Delta(writer, draft with { Deps = [old.Id] }))).Succeeded);
    }

    [Fact]
    public async Task Sixty_four_writers_at_once_leave_dense_logs_with_chains_in_order()
    {
        const int writers = 64, each = 6;
        var owner = World.Tenant();
        var documents = new List<DocumentBuilder>();
        for (var i = 0; i < 4; i++) documents.Add(await World.HostedAsync(owner));
        var devices = Enumerable.Range(0, writers).Select(_ => World.Device()).ToList();
        for (var i = 0; i < writers; i++) await GrantAsync(owner, documents[i % 4], devices[i]);
        var deltas = devices.Select((device, i) => Enumerable.Range(0, each).Select(_ => Independent(documents[i % 4], device)).ToList()).ToList();

        await Task.WhenAll(Enumerable.Range(0, writers).Select(async i =>
        {
            foreach (var delta in deltas[i]) await World.AcceptAsync(devices[i], documents[i % 4], delta);
        }));

        foreach (var document in documents) await AssertWholeAsync(owner, document, [World.Relay]);
        await AssertUsageAsync(owner, [.. documents]);
        Assert.Empty(World.Faults);
    }

    [Fact]
    public async Task Two_relays_over_one_database_never_fork_a_log()
    {
        const int rounds = 12;
        var owner = World.Tenant();
        await using var other = World.Start(await OpenAsync());
        DocumentRelay[] relays = [World.Relay, other];
        var documents = new[] { World.Document(owner), World.Document(owner), World.Document(owner) };
        var server = documents.Select(document => document.NextGrant(owner, World.Server.Public, Permission.Sync)).ToList();

        // Both bring the same new documents of a new tenant at the same moment.
        var hosted = await Task.WhenAll(documents.SelectMany((document, i) => relays.Select(relay =>
            RelayWorld.PushAsync(relay, owner, document.Id, document.Genesis, server[i]))));
        Assert.All(hosted, result => Assert.True(result.Succeeded, result.Refusal?.ToString()));
        for (var i = 0; i < documents.Length; i++) Assert.Equal(RelayWorld.Text(hosted[2 * i].Value!), RelayWorld.Text(hosted[2 * i + 1].Value!));

        var devices = Enumerable.Range(0, 12).Select(_ => World.Device()).ToList();
        for (var i = 0; i < devices.Count; i++) await GrantAsync(owner, documents[i % 3], devices[i]);
        var deltas = devices.Select((device, i) => Enumerable.Range(0, rounds).Select(_ => Independent(documents[i % 3], device)).ToList()).ToList();
        await Task.WhenAll(Enumerable.Range(0, devices.Count).Select(async i =>
        {
            for (var round = 0; round < rounds; round++)
            {
                var result = await RelayWorld.PushAsync(relays[(i + round) % 2], devices[i], documents[i % 3].Id, deltas[i][round]);
                Assert.True(result.Succeeded, result.Refusal?.ToString());
            }
        }));

        foreach (var document in documents) await AssertWholeAsync(owner, document, relays);
        await AssertUsageAsync(owner, documents);
        Assert.Empty(World.Faults);
    }

    [Fact]
    public async Task A_revocation_at_one_relay_is_known_to_the_other_with_the_next_question()
    {
        var (owner, member) = (World.Tenant(), World.Device());
        await using var other = World.Start(await OpenAsync());
        var document = await World.HostedAsync(owner);
        await GrantAsync(owner, document, member);
        Assert.True((await RelayWorld.PushAsync(other, member, document.Id, document.NextDelta(member))).Succeeded);
        await World.AcceptAsync(owner, document, document.NextRevoke(owner, member.Public));

        Assert.Equal(Refusal.NotFound, (await other.ReadAsync(member.Public, document.Id, new(0), Cancel)).Refusal);
        Assert.Equal(Reason.NotFound, (await RelayWorld.PushAsync(other, member, document.Id, document.NextDelta(member))).Refusal!.Reason);
        Assert.True((await RelayWorld.PushAsync(other, owner, document.Id, Independent(document, owner))).Succeeded);
    }

    [Fact]
    public async Task A_revocation_at_one_relay_and_what_the_member_writes_at_another_have_one_order_and_nothing_of_the_member_is_behind_it()
    {
        const int rounds = 24;
        var owner = World.Tenant();
        await using var other = World.Start(await OpenAsync());
        for (var round = 0; round < rounds; round++)
        {
            var member = World.Device();
            var document = await World.HostedAsync(owner);
            await GrantAsync(owner, document, member);
            // The other relay knows that the member may write.
            var first = Independent(document, member);
            Assert.True((await RelayWorld.PushAsync(other, member, document.Id, first)).Succeeded);
            var revocation = document.NextRevoke(owner, member.Public);

            // Of the two who push, the owner is served also afterwards: only the author's right is in question then.
            var (pusher, reason) = round % 2 == 0 ? (member, Reason.NotFound) : (owner, Reason.NotAuthorised);
            var taken = new List<EnvelopeId> { first.Id };
            var begin = round / 2 % 4;
            var revoking = Task.CompletedTask;
            for (var number = 0; ; number++)
            {
                if (number == begin) revoking = Task.Run(() => World.AcceptAsync(owner, document, revocation));
                var isOver = number > begin && revoking.IsCompleted;
                var delta = document.NextDelta(member, draft => draft with { Deps = [], Auth = first.Header.Auth });
                var outcome = await RelayWorld.PushAsync(other, pusher, document.Id, delta);
                if (!outcome.Succeeded)
                {
                    Assert.Equal(reason, outcome.Refusal.Reason);
                    break;
                }

                Assert.False(isOver, "what was pushed after the revocation was acknowledged has been taken");
                taken.Add(delta.Id);
            }

            await revoking;
            var log = await RelayWorld.ReadAllAsync(World.Relay, owner, document.Id);
            Assert.Contains(log, entry => entry.Id == revocation.Id);
            Assert.Equal(taken, log.TakeWhile(entry => entry.Id != revocation.Id).Where(entry => entry.Author == member.Public).Select(entry => entry.Id));
            Assert.DoesNotContain(log.SkipWhile(entry => entry.Id != revocation.Id), entry => entry.Author == member.Public);
        }

        Assert.Empty(World.Faults);
    }

    [Fact]
    public async Task An_unfinished_transaction_leaves_nothing_and_the_next_one_begins()
    {
        var owner = World.Tenant();
        var document = await World.HostedAsync(owner);
        await using (var transaction = await World.Store.BeginAsync([document.Id, World.Document(owner).Id], [], Cancel))
        {
            var state = Assert.Single(transaction.Documents).Value;
            Assert.Equal(2UL, state.Size);
            Assert.Equal(state.StoredBytes, transaction.Usage[state.Host].StoredBytes);
        }

        await World.AcceptAsync(owner, document, document.NextDelta(owner));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    public async Task A_page_is_filled_to_the_byte(int less, int entries)
    {
        var owner = World.Tenant();
        var document = await World.HostedAsync(owner);
        Envelope[] deltas = [.. Enumerable.Range(0, 5).Select(i => document.NextDelta(owner, 100 * i))];
        await World.AcceptAsync(owner, document, deltas);

        var slice = await World.Store.ReadAsync(document.Id, 2, 64, deltas[..3].Sum(delta => delta.Bytes.Length) - less, Cancel);

        Assert.Equal(deltas[..entries].Select(delta => delta.Id), slice!.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Acknowledgements_are_changed_all_at_once_and_only_of_documents_that_exist()
    {
        var owner = World.Tenant();
        DocId[] documents = [.. new[] { (await World.HostedAsync(owner)).Id, (await World.HostedAsync(owner)).Id, World.Document(owner).Id }.Order()];
        var store = await OpenAsync();
        foreach (var document in documents) Assert.Empty(await store.ReadDeliveredAsync(document, Cancel));
        for (var i = 1UL; i <= 3; i++)
        {
            var device = World.Device().Public;
            await store.UpdateDeliveredAsync(documents, (_, known) => [.. known, new(device, i, ulong.MaxValue >> 1)], Cancel);
        }

        var held = new List<DocId>();
        foreach (var document in documents)
        {
            var delivered = await World.Store.ReadDeliveredAsync(document, Cancel);
            if (delivered.Count > 0) held.Add(document);
            Assert.Equal(delivered.Count == 0 ? [] : [1UL, 2UL, 3UL], delivered.Select(each => each.Size));
        }

        Assert.Equal(2, held.Count);

        // What fails in the middle has changed nothing.
        var calls = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.UpdateDeliveredAsync(held, (_, _) => ++calls < 2 ? [] : throw new InvalidOperationException("stop"), Cancel));
        Assert.Equal(3, (await World.Store.ReadDeliveredAsync(held[0], Cancel)).Count);
    }

    [Fact]
    public async Task Unknown_documents_and_places_are_simply_not_there()
    {
        var owner = World.Tenant();
        var (known, unknown) = ((await World.HostedAsync(owner)).Id, World.Document(owner).Id);
        Assert.Null(await World.Store.FindAsync(unknown, Cancel));
        Assert.Null(await World.Store.ReadAsync(unknown, 0, 64, 65536, Cancel));
        Assert.Empty(await World.Store.ReadStatementsAsync(unknown, 0, 0, 10, Cancel));
        Assert.Null(await World.Store.FindReceiptAsync(known, 2, Cancel));
        Assert.Null(await World.Store.WalkBackAsync(known, 1, 1, Cancel));
        Assert.Null(await World.Store.WalkBackAsync(known, ulong.MaxValue, 0, Cancel));
        Assert.Empty((await World.Store.ReadAsync(known, ulong.MaxValue, 64, 65536, Cancel))!.Entries);
        Assert.Equal([0UL, 1UL], (await World.Store.ReadStatementsAsync(known, 0, 0, 10, Cancel)).Select(each => each.Index));
        Assert.Equal([1UL], (await World.Store.ReadStatementsAsync(known, 0, 1, 10, Cancel)).Select(each => each.Index));
        Assert.Equal([0UL], (await World.Store.ReadStatementsAsync(known, 0, 0, 1, Cancel)).Select(each => each.Index));
        Assert.Empty(await World.Store.ReadStatementsAsync(known, 1, 0, 10, Cancel));
        Assert.Equal([0UL, 1UL], (await World.Store.ReadIdsAsync(known, 0, 10, Cancel)).Select(place => place.Index));
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_world is not null) await _world.DisposeAsync();
        if (_store is not null) await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task GrantAsync(SigningKey owner, DocumentBuilder document, SigningKey device) =>
        await World.AcceptAsync(owner, document, document.NextGrant(owner, device.Public, Permission.Write));

    // Without deps, so that it may be pushed in any order with what others write.
    private static Envelope Independent(DocumentBuilder document, SigningKey author) =>
        document.NextDelta(author, draft => draft with { Deps = [] });

    private static async Task AssertWholeAsync(SigningKey owner, DocumentBuilder document, IReadOnlyList<DocumentRelay> relays)
    {
        foreach (var relay in relays)
        {
            // Reading checks that indexes are dense and that the root is that of the ids.
            var entries = await RelayWorld.ReadAllAsync(relay, owner, document.Id);
            Assert.Equal(document.Envelopes.Select(envelope => envelope.Id).Order(), entries.Select(entry => entry.Id).Order());
            foreach (var chain in entries.GroupBy(entry => entry.Author))
                Assert.Equal(document.Chain(chain.Key).Select(envelope => envelope.Id), chain.Select(entry => entry.Id));
        }
    }

    private async Task AssertUsageAsync(SigningKey owner, params DocumentBuilder[] documents)
    {
        ulong sum = 0;
        foreach (var document in documents) sum += (await World.Store.FindAsync(document.Id, Cancel))!.StoredBytes;
        var account = World.Tenants.Register(owner.Public);
        await using var transaction = await World.Store.BeginAsync([], [account], Cancel);
        Assert.Equal((ulong)documents.SelectMany(document => document.Envelopes).Sum(envelope => (long)envelope.Bytes.Length), sum);
        Assert.Equal((sum, (ulong)documents.Length), (transaction.Usage[account].StoredBytes, transaction.Usage[account].Documents));
        // Asked while the transaction is open: readers wait for nobody.
        Assert.Equal(transaction.Usage[account], await World.Store.FindUsageAsync(account, Cancel));
        Assert.Equal(TenantUsage.Empty, await World.Store.FindUsageAsync(default, Cancel));
    }
}
