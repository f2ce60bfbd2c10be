using System.Collections.Concurrent;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>What one pusher can make the relay do: long searches are done before the commit, once, and are charged; nobody else waits for them.</summary>
public sealed class PushCostTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public PushCostTests() => _world = new(_store);

    [Fact]
    public async Task Receipts_that_are_made_again_hold_up_no_commit_and_a_deletion_meanwhile_costs_nobody_else_an_answer()
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.FindReceiptAsync)) return next();
            asked.TrySetResult();
            return FindAsync();

            async Task<StoredReceipt?> FindAsync()
            {
                await opened.Task;
                return await (Task<StoredReceipt?>)next()!;
            }
        });
        await using var relay = _world.Start(store);
        var (owner, other) = (_world.Tenant(), _world.Tenant());
        var (old, busy) = (await _world.HostedAsync(owner), await _world.HostedAsync(other));
        var repeated = old.NextDelta(owner);
        await _world.AcceptAsync(owner, old, repeated);

        var again = RelayWorld.PushAsync(relay, owner, old.Id, repeated);
        await asked.Task;
        Assert.True((await RelayWorld.PushAsync(relay, other, busy.Id, busy.NextDelta(other))).Succeeded);
        Assert.True((await _world.Relay.DeleteAsync(owner.Public, old.Id, CancellationToken.None)).Succeeded);
        Assert.False(again.IsCompleted);
        opened.SetResult();
        Assert.Equal(Reason.NotFound, (await again).Refusal?.Reason);
        Assert.Empty(_world.Faults);
    }

    [Fact]
    public async Task A_bundle_of_old_and_new_has_the_old_receipts_and_new_ones_and_costs_a_call_for_each_commit_of_old_ones()
    {
        var charged = new ConcurrentQueue<(PeerId Device, long Calls)>();
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        Envelope[] first = [.. Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner))];
        Envelope[] second = [.. Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner))];
        var receipts = (await _world.AcceptAsync(owner, document, first)).Concat(await _world.AcceptAsync(owner, document, second)).ToList();
        var next = document.NextDelta(owner);

        await using var relay = _world.Charging(_store, charged, new() { ReceiptDesks = 1 });
        var outcome = await RelayWorld.PushAsync(relay, owner, document.Id, [.. first, .. second, next]);
        Assert.True(outcome.Succeeded, outcome.Refusal?.ToString());
        Assert.Equal(RelayWorld.Text(receipts), RelayWorld.Text(outcome.Value.Take(10)));
        Assert.Equal((next.Id, 12UL, 1), (outcome.Value[10].Leaf.Envelope, outcome.Value[10].Leaf.Index, outcome.Value[10].LeafCount));
        Assert.All(outcome.Value, receipt => Assert.True(receipt.Verify()));
        Assert.Equal([(owner.Public, 1L), (owner.Public, 1L)], charged);
    }

    [Fact]
    public async Task Old_envelopes_are_found_in_one_walk_and_the_walk_and_the_search_are_charged()
    {
        var charged = new ConcurrentQueue<(PeerId Device, long Calls)>();
        var walked = 0UL;
        var store = Interception.Before<IRelayStore>(_store, (method, arguments, next) =>
        {
            if (method is nameof(IRelayStore.WalkBackAsync)) walked += (ulong)arguments[2]!;
            return next();
        });
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        Envelope[] all = [.. Enumerable.Range(0, 100).Select(_ => document.NextDelta(member))];
        await _world.AcceptAsync(member, document, all);

        // Nothing is remembered but the tips, so everything is searched.
        await using var relay = _world.Charging(store, charged, new() { RecentIds = 2, StepsPerCall = 10, ReceiptDesks = 1 });
        var results = await relay.PushAsync(member.Public, document.Id, [.. all.Select(each => (IReadOnlyList<ReadOnlyMemory<byte>>)[each.Bytes])], CancellationToken.None);
        Assert.All(results, result => Assert.True(result.Succeeded, result.Refusal?.ToString()));
        Assert.Equal(99UL, walked);
        Assert.Equal(9L + 1, charged.Sum(each => each.Calls));

        charged.Clear();
        var missing = document.Delta(member, document.Draft(member.Public) with { Deps = [new(new(_world.Entropy.Bytes(32)))] });
        Assert.Equal(Reason.DepsMissing, (await RelayWorld.PushAsync(relay, member, document.Id, missing)).Refusal?.Reason);
        Assert.Equal([(member.Public, 10L)], charged);
    }

    [Fact]
    public async Task Who_has_no_calls_left_is_not_searched_for_and_searches_wait_for_one_another()
    {
        var (running, most, gate) = (0, 0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        using var entered = new SemaphoreSlim(0);
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.FindIdsAsync)) return next();
            return FindAsync();

            async Task<IReadOnlyList<LogPlace>> FindAsync()
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                entered.Release();
                await gate.Task;
                Interlocked.Decrement(ref running);
                return await (Task<IReadOnlyList<LogPlace>>)next()!;
            }
        });
        var (owner, poor) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, poor.Public, Permission.Write));
        await using var relay = new DocumentRelay(
            _world.Server, store, _world.Tenants, TimeProvider.System, new() { StepsPerCall = 1, SearchDesks = 2 }, _world.Faults.Enqueue, (device, _) => device != poor.Public);

        var refused = await RelayWorld.PushAsync(relay, poor, document.Id, Unknown(poor));
        Assert.Equal((Reason.RateLimited, TimeSpan.FromSeconds(1)), (refused.Refusal!.Reason, refused.Refusal.RetryAfter));
        var pushes = Enumerable.Range(0, 5).Select(_ => RelayWorld.PushAsync(relay, owner, document.Id, Unknown(owner))).ToList();
        for (var i = 0; i < 2; i++) await entered.WaitAsync(TestContext.Current.CancellationToken);
        gate.SetResult();
        Assert.All(await Task.WhenAll(pushes), outcome => Assert.Equal(Reason.DepsMissing, outcome.Refusal?.Reason));
        Assert.Equal((2, 0), (most, running));
        Assert.Empty(_world.Faults);

        Envelope Unknown(SigningKey author) => document.Delta(author, document.Draft(author.Public) with { Deps = [new(new(_world.Entropy.Bytes(32)))] });
    }

    [Fact]
    public async Task A_document_that_is_begun_by_pushes_that_wait_for_no_answer_finds_what_the_first_of_them_brought()
    {
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = _world.Document(owner);
        await using var relay = _world.Start(_store, new() { RecentIds = 4 });
        Envelope[] genesis = [document.Genesis, document.NextGrant(owner, _world.Server.Public, Permission.Sync), document.NextGrant(owner, member.Public, Permission.Write)];
        Envelope[] middle = [.. Enumerable.Range(0, 10).Select(_ => document.NextDelta(owner))];
        var last = document.Delta(member, document.Draft(member.Public) with { Deps = [middle[0].Id] });

        var first = await relay.QueueAsync(owner.Public, document.Id, [Bytes(genesis)], CancellationToken.None);
        var second = await relay.QueueAsync(owner.Public, document.Id, [Bytes(middle)], CancellationToken.None, earlier: first);
        var third = await relay.QueueAsync(owner.Public, document.Id, [Bytes(last)], CancellationToken.None, earlier: second);
        foreach (var push in new[] { first, second, third }) Assert.All(await push, outcome => Assert.True(outcome.Succeeded, outcome.Refusal?.ToString()));

        static IReadOnlyList<ReadOnlyMemory<byte>> Bytes(params Envelope[] envelopes) => [.. envelopes.Select(envelope => envelope.Bytes)];
    }

    [Fact]
    public async Task What_an_earlier_push_of_the_device_brings_is_waited_for_and_not_searched_for()
    {
        var (store, proxy) = StoreProxy.Around(_store);
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        var first = document.NextDelta(owner);
        var second = document.Delta(member, document.Draft(member.Public) with { Deps = [first.Id] });

        await using var relay = _world.Start(store);
        var earlier = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = relay.QueueAsync(owner.Public, document.Id, [[second.Bytes]], CancellationToken.None, earlier: earlier.Task);
        Assert.False(queued.IsCompleted);
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, first)).Succeeded);
        earlier.SetResult();
        Assert.True(Assert.Single(await await queued).Succeeded);
        Assert.Equal(0, proxy.Calls(nameof(IRelayStore.FindIdsAsync)));
    }

    [Fact]
    public async Task Envelopes_that_their_author_did_not_sign_are_not_searched_for()
    {
        var (store, proxy) = StoreProxy.Around(_store);
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        var missing = new EnvelopeId(new(_world.Entropy.Bytes(32)));
        var unsigned = Unsigned(document.Delta(owner, document.Draft(owner.Public) with { Deps = [missing] }));
        var old = Unsigned(document.Delta(owner, document.Draft(owner.Public) with { Seq = 1, Prev = default }));

        await using var relay = _world.Start(store, new() { RecentIds = 1 });
        Assert.Equal(Reason.BadSignature, (await RelayWorld.PushAsync(relay, owner, document.Id, unsigned)).Refusal?.Reason);
        Assert.Equal(Reason.BadSignature, (await RelayWorld.PushAsync(relay, owner, document.Id, old)).Refusal?.Reason);
        Assert.Equal((0, 0), (proxy.Calls(nameof(IRelayStore.FindIdsAsync)), proxy.Calls(nameof(IRelayStore.WalkBackAsync))));
    }

    [Fact]
    public async Task A_frozen_author_makes_nobody_wait_for_searches_and_the_log_is_searched_once_a_push()
    {
        var (isOpen, searches) = (false, 0);
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is nameof(IRelayStore.BeginAsync)) return BeginAsync((Task<IRelayTransaction>)next()!);
            if (method is nameof(IRelayStore.FindIdsAsync)) searches++;
            if (method is nameof(IRelayStore.FindIdsAsync) or nameof(IRelayStore.WalkBackAsync)) Assert.False(isOpen, "The log is searched while rows are locked.");
            return next();
        });

        async Task<IRelayTransaction> BeginAsync(Task<IRelayTransaction> begun)
        {
            var transaction = await begun;
            isOpen = true;
            return Interception.Before(transaction, (method, _, next) =>
            {
                if (method is nameof(IAsyncDisposable.DisposeAsync)) isOpen = false;
                return next();
            });
        }

        var (owner, member, witness) = (_world.Tenant(), _world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write), document.NextGrant(owner, witness.Public, Permission.Sync));
        await using var relay = _world.Start(store);
        Envelope[] one = Branch(document, member, 30), two = Branch(document, member, 30);
        await TakeAsync(relay, owner, document, one);
        await TakeAsync(relay, owner, document, document.Next(witness, ForkProof.Of(one[0], two[0])));
        await TakeAsync(
            relay, owner, document,
            document.Next(owner, new Revoke(document.GrantOf(member.Public), document.GrantOf(owner.Public), [new(member.Public, two[^1].Header.Seq, two[^1].Id)])));

        searches = 0;
        var wrong = await RelayWorld.PushEachAsync(relay, owner, document.Id, [.. Enumerable.Range(0, 20).Select(_ => document.Delta(member, document.Draft(member.Public) with { Seq = 2, Prev = two[1].Id }))]);
        Assert.All(wrong, result => Assert.Equal(Reason.ChainBroken, result.Refusal?.Reason));
        Assert.Equal(1, searches);
        Assert.All(await RelayWorld.PushEachAsync(relay, owner, document.Id, two), result => Assert.True(result.Succeeded, result.Refusal?.ToString()));
        Assert.Equal(2, searches);
        Assert.Empty(_world.Faults);
    }

    [Fact]
    public async Task A_branch_that_was_named_after_a_push_was_looked_at_is_to_be_pushed_again()
    {
        var (owner, member, witness) = (_world.Tenant(), _world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write), document.NextGrant(owner, witness.Public, Permission.Sync));
        Envelope[] one = Branch(document, member, 3), two = Branch(document, member, 3);
        await _world.AcceptAsync(owner, document, one);
        await _world.AcceptAsync(owner, document, document.Next(witness, ForkProof.Of(one[0], two[0])));
        var naming = document.Next(owner, new Revoke(document.GrantOf(member.Public), document.GrantOf(owner.Public), [new(member.Public, two[^1].Header.Seq, two[^1].Id)]));

        var results = await RelayWorld.PushEachAsync(_world.Relay, owner, document.Id, [naming, .. two]);
        Assert.Equal([null, Reason.Unavailable, Reason.Unavailable, Reason.Unavailable], results.Select(result => result.Refusal?.Reason));
        Assert.All(await RelayWorld.PushEachAsync(_world.Relay, owner, document.Id, two), result => Assert.True(result.Succeeded, result.Refusal?.ToString()));
    }

    [Fact]
    public async Task Shares_are_counted_once_also_if_what_is_pushed_then_is_refused()
    {
        var (store, proxy) = StoreProxy.Around(_store);
        await using var relay = _world.Start(store);
        var owner = _world.Tenant();
        var account = _world.Tenants.Register(owner.Public);
        var document = await _world.HostedAsync(owner);
        _world.Tenants.Change(account, new TenantLimits { StorageBytes = 100, AuthorPercent = 50 });

        for (var i = 0; i < 3; i++)
            Assert.Equal(Reason.QuotaExceeded, (await RelayWorld.PushAsync(relay, owner, document.Id, document.Delta(owner, document.Draft(owner.Public)))).Refusal?.Reason);
        Assert.Equal(1, proxy.Calls(nameof(IRelayStore.CountTenantAsync)));
        var usage = await _store.FindUsageAsync(account, CancellationToken.None);
        Assert.Equal(ShareKinds.Authors, usage.Counted);
        Assert.Equal(
            (await _store.CountTenantAsync(account, CancellationToken.None)).Shares[UsageShare.Of(owner.Public)],
            (await _store.ReadAuthorSharesAsync(account, 10, CancellationToken.None))[owner.Public]);
    }

    [Fact]
    public async Task One_device_cannot_fill_the_room_for_waiting_pushes()
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.BeginAsync)) return next();
            entered.TrySetResult();
            return BeginAsync();

            async Task<IRelayTransaction> BeginAsync()
            {
                await opened.Task;
                return await (Task<IRelayTransaction>)next()!;
            }
        });
        var (greedy, other) = (_world.Tenant(), _world.Tenant());
        var (full, free) = (await _world.HostedAsync(greedy), await _world.HostedAsync(other));
        var (first, second, third) = (full.NextDelta(greedy, 1000), full.NextDelta(greedy, 1000), free.NextDelta(other, 1000));
        await using var relay = _world.Start(store, new() { WaitingBytesPerDevice = first.Bytes.Length });
        var waiting = RelayWorld.PushAsync(relay, greedy, full.Id, first);
        await entered.Task;
        var refused = await RelayWorld.PushAsync(relay, greedy, full.Id, second);
        Assert.Equal((Reason.Unavailable, second.Id), (refused.Refusal!.Reason, Assert.Single(refused.Refusal.Envelopes)));
        var others = RelayWorld.PushAsync(relay, other, free.Id, third);
        opened.SetResult();
        Assert.True((await waiting).Succeeded && (await others).Succeeded);
        Assert.True((await RelayWorld.PushAsync(relay, greedy, full.Id, second)).Succeeded);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static async Task TakeAsync(DocumentRelay relay, SigningKey pusher, DocumentBuilder document, params Envelope[] bundle)
    {
        var outcome = await RelayWorld.PushAsync(relay, pusher, document.Id, bundle);
        Assert.True(outcome.Succeeded, outcome.Refusal?.ToString());
    }

    private static Envelope[] Branch(DocumentBuilder document, SigningKey author, int count)
    {
        var branch = new List<Envelope> { document.Delta(author, document.Draft(author.Public)) };
        while (branch.Count < count) branch.Add(document.Delta(author, document.Draft(author.Public) with { Seq = branch[^1].Header.Seq + 1, Prev = branch[^1].Id }));
        return [.. branch];
    }

    private static Envelope Unsigned(Envelope envelope)
    {
        var bytes = envelope.Bytes.ToArray();
        bytes[envelope.HeaderBytes.Length] ^= 1;
        Assert.True(Envelope.TryDecode(bytes, out var changed, out _));
        return changed;
    }
}
