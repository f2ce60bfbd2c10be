using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>What waits while a commit runs is the next commit; a failure acknowledges nothing.</summary>
public sealed class GroupCommitTests
{
    [Fact]
    public async Task What_arrives_during_a_commit_shares_the_next_one_and_its_signature()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var documents = new[] { await world.HostedAsync(owner), await world.HostedAsync(owner) };
        store.Close();
        var first = world.AcceptAsync(owner, documents[0], documents[0].NextDelta(owner));
        await store.Entered;
        var rest = Enumerable.Range(0, 20).Select(i => world.AcceptAsync(owner, documents[i % 2], documents[i % 2].NextDelta(owner))).ToList();
        store.Open();

        var alone = Assert.Single(await first);
        Assert.Equal(1, alone.LeafCount);
        var receipts = (await Task.WhenAll(rest)).SelectMany(each => each).ToList();
        Assert.Equal(Enumerable.Range(0, 20), receipts.Select(receipt => receipt.LeafIndex));
        Assert.All(receipts, receipt => Assert.Equal(receipts[0].Signature, receipt.Signature));
        Assert.Equal(4, store.Commits);
    }

    [Fact]
    public async Task Pushes_of_one_device_that_do_not_wait_for_each_other_share_a_commit_in_their_order()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        store.Close();
        var first = world.AcceptAsync(owner, document, document.NextDelta(owner));
        await store.Entered;
        var answers = new List<Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>>();
        for (var i = 0; i < 10; i++) answers.Add(await world.Relay.QueueAsync(owner.Public, document.Id, [[document.NextDelta(owner).Bytes]], CancellationToken.None));
        store.Open();

        await first;
        var receipts = (await Task.WhenAll(answers)).Select(each => each[0].Value![0]).ToList();
        Assert.Equal(Enumerable.Range(0, 10), receipts.Select(receipt => receipt.LeafIndex));
        Assert.All(receipts, receipt => Assert.Equal(10, receipt.LeafCount));
    }

    [Fact]
    public async Task A_commit_has_a_size_limit_and_a_bundle_is_never_cut()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store, limits: new() { CommitEnvelopes = 3 });
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        store.Close();
        var first = world.AcceptAsync(owner, document, document.NextDelta(owner));
        await store.Entered;
        var five = world.AcceptAsync(owner, document, [.. Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner))]);
        var singles = Enumerable.Range(0, 4).Select(_ => world.AcceptAsync(owner, document, document.NextDelta(owner))).ToList();
        store.Open();

        await first;
        Assert.All(await five, receipt => Assert.Equal(5, receipt.LeafCount));
        Assert.Equal([3, 3, 3, 1], (await Task.WhenAll(singles)).Select(each => each[0].LeafCount));
    }

    [Theory]
    [InlineData(0, 3, 1)]
    [InlineData(1, 2, 2)]
    public async Task A_commit_has_so_many_bytes_and_what_is_one_more_waits_for_the_next(int less, int inFirst, int inSecond)
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var deltas = Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner)).ToList();
        await using var relay = world.Start(store.Store, new() { CommitBytes = deltas[1..4].Sum(delta => delta.Bytes.Length) - less });
        store.Close();
        var answers = new List<Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>> { await QueueAsync(deltas[0]) };
        await store.Entered;
        foreach (var delta in deltas[1..]) answers.Add(await QueueAsync(delta));
        store.Open();

        var counts = (await Task.WhenAll(answers)).Select(each => each[0].Value![0].LeafCount);
        Assert.Equal([1, .. Enumerable.Repeat(inFirst, inFirst), .. Enumerable.Repeat(inSecond, inSecond)], counts);

        Task<Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>>> QueueAsync(Envelope delta) =>
            relay.QueueAsync(owner.Public, document.Id, [[delta.Bytes]], CancellationToken.None);
    }

    [Theory]
    [InlineData(Reason.StorageFull)]
    [InlineData(Reason.Unavailable)]
    public async Task A_store_that_fails_acknowledges_nothing_and_all_is_well_when_it_works_again(Reason reason)
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var (delta, next) = (document.NextDelta(owner), document.NextDelta(owner));
        store.Failure = new TlfsException(reason, "no");
        var refusal = await world.RefuseAsync(owner, document, delta);
        Assert.Equal(reason, refusal.Reason);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);

        // Durable, but the answer was lost: the same push finds its receipt.
        store.FailsAfterCommit = true;
        await world.RefuseAsync(owner, document, delta);
        store.Failure = null;
        var receipts = await world.AcceptAsync(owner, document, delta, next);
        Assert.Equal([2UL, 3UL], receipts.Select(receipt => receipt.Leaf.Index));
        Assert.Equal(2, world.Faults.Count);
    }

    [Fact]
    public async Task Followers_are_woken_by_a_commit_of_which_nobody_knows_whether_it_became_durable()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var waiting = world.Relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None);
        store.Failure = new TlfsException(Reason.Unavailable, "the answer was lost");
        store.FailsAfterCommit = true;
        await world.RefuseAsync(owner, document, document.NextDelta(owner));

        Assert.Null(await waiting);
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task A_bug_in_one_commit_does_not_stop_the_next()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var delta = document.NextDelta(owner);
        store.Failure = new InvalidOperationException("bug");
        Assert.Equal(Reason.Internal, (await world.RefuseAsync(owner, document, delta)).Reason);
        store.Failure = null;
        await world.AcceptAsync(owner, document, delta);
        Assert.Single(world.Faults);
    }

    [Fact]
    public async Task A_lost_race_with_another_process_is_run_again_and_given_up_in_the_end()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var delta = document.NextDelta(owner);
        store.LosesRaces = 2;
        await world.AcceptAsync(owner, document, delta);
        store.LosesRaces = 100;
        Assert.Equal(Reason.Unavailable, (await world.RefuseAsync(owner, document, document.NextDelta(owner))).Reason);
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task Pushes_beyond_the_room_for_waiting_are_refused_and_those_waiting_are_finished_at_the_end()
    {
        await using var store = new GatedStore();
        await using var world = new RelayWorld(store.Store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var deltas = Enumerable.Range(0, 3).Select(_ => document.NextDelta(owner, 1000)).ToArray();
        var relay = world.Start(store.Store, new() { WaitingBytes = deltas[0].Bytes.Length * 2 });
        store.Close();
        var first = RelayWorld.PushAsync(relay, owner, document.Id, deltas[0]);
        await store.Entered;
        var second = RelayWorld.PushAsync(relay, owner, document.Id, deltas[1]);
        Assert.Equal(Reason.Unavailable, (await RelayWorld.PushAsync(relay, owner, document.Id, deltas[2])).Refusal!.Reason);

        var ending = relay.DisposeAsync();
        store.Open();
        await ending;
        Assert.True((await first).Succeeded && (await second).Succeeded);
        Assert.Equal(Reason.Unavailable, (await RelayWorld.PushAsync(relay, owner, document.Id, deltas[2])).Refusal!.Reason);
    }

    /// <summary>A store whose commits a test holds up and lets fail.</summary>
    private sealed class GatedStore : IAsyncDisposable
    {
        private readonly MemoryRelayStore _inner = new();
        private TaskCompletionSource _gate = Opened();
        private TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public GatedStore() => Store = Interception.Before<IRelayStore>(
            _inner, (method, _, next) => method is nameof(IRelayStore.BeginAsync) ? BeginAsync((Task<IRelayTransaction>)next()!) : next());

        public IRelayStore Store { get; }

        public Exception? Failure { get; set; }

        public bool FailsAfterCommit { get; set; }

        public int LosesRaces { get; set; }

        public int Commits { get; private set; }

        public Task Entered => _entered.Task;

        public void Close()
        {
            _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void Open() => _gate.SetResult();

        public ValueTask DisposeAsync() => _inner.DisposeAsync();

        private async Task<IRelayTransaction> BeginAsync(Task<IRelayTransaction> begun) => Interception.Before(
            await begun, (method, _, next) => method is nameof(IRelayTransaction.CommitAsync) ? CommitAsync(() => (Task<bool>)next()!) : next());

        private async Task<bool> CommitAsync(Func<Task<bool>> commit)
        {
            _entered.TrySetResult();
            await _gate.Task;
            if (LosesRaces > 0)
            {
                LosesRaces--;
                return false;
            }

            if (Failure is { } early && !FailsAfterCommit) throw early;
            Commits++;
            var done = await commit();
            return Failure is null ? done : throw Failure;
        }

        private static TaskCompletionSource Opened()
        {
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            gate.SetResult();
            return gate;
        }
    }
}
