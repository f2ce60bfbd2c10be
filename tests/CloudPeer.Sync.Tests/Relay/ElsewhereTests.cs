using System.Threading.Channels;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>What a relay does about the changes of other processes over its store.</summary>
public sealed class ElsewhereTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;
    private readonly TaskCompletionSource<Action<ChangedElsewhere>> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Pushes with the world's relay, which tells nobody; the one under test is told by the test.
    public ElsewhereTests() => _world = new(_store);

    [Fact]
    public async Task A_waiter_looks_again_only_when_its_document_is_named_and_all_of_them_share_one_read()
    {
        var (relay, proxy) = Start();
        await using var _ = relay;
        var tell = await _listening.Task;
        var owner = _world.Tenant();
        var (document, other) = (await _world.HostedAsync(owner), await _world.HostedAsync(owner));
        foreach (var each in new[] { document, other }) await RelayWorld.ReadAllAsync(relay, owner, each.Id);
        var waiting = Enumerable.Range(0, 50).Select(_ => relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None)).ToList();
        var elsewhere = relay.WaitAsync(owner.Public, other.Id, 2, CancellationToken.None);
        var before = proxy.Calls(nameof(IRelayStore.FindAsync));

        foreach (var each in new[] { document, other }) await _world.AcceptAsync(owner, each, each.NextDelta(owner));
        tell(new([DocPrefix.Of(document.Id)]));

        Assert.All(await Task.WhenAll(waiting), Assert.Null);
        Assert.Equal(before + 1, proxy.Calls(nameof(IRelayStore.FindAsync)));
        Assert.False(elsewhere.IsCompleted);
        tell(ChangedElsewhere.Any);
        Assert.Null(await elsewhere);
    }

    [Fact]
    public async Task What_was_told_while_nobody_waited_is_found_by_who_comes_later()
    {
        var (relay, _) = Start();
        await using var owned = relay;
        var tell = await _listening.Task;
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        await RelayWorld.ReadAllAsync(relay, owner, document.Id);

        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        tell(new([DocPrefix.Of(document.Id)]));

        Assert.Null(await relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None));
    }

    [Fact]
    public async Task What_is_committed_here_is_not_read_again()
    {
        var (relay, proxy) = Start();
        await using var _ = relay;
        await _listening.Task;
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        await RelayWorld.ReadAllAsync(relay, owner, document.Id);
        var waiting = relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None);
        await RelayWorld.PushAsync(relay, owner, document.Id, document.NextDelta(owner));
        Assert.Null(await waiting);
        var before = proxy.Reads;

        var page = await relay.ReadAsync(owner.Public, document.Id, new(2) { IsFollowing = true }, CancellationToken.None);

        Assert.Equal((1, 3UL), (page.Value!.Entries.Count, page.Value.CaughtUp!.Size));
        Assert.Equal(before, proxy.Reads);
    }

    [Fact]
    public async Task A_right_that_another_process_ended_ends_the_subscription_here()
    {
        var (relay, _) = Start();
        await using var owned = relay;
        var tell = await _listening.Task;
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Read));
        await RelayWorld.ReadAllAsync(relay, member, document.Id);
        var waiting = relay.WaitAsync(member.Public, document.Id, 3, CancellationToken.None);

        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, member.Public));
        tell(new([DocPrefix.Of(document.Id)]));

        Assert.Equal(Refusal.NotFound, await waiting);
    }

    [Fact]
    public async Task A_store_that_cannot_listen_is_asked_again_after_longer_and_longer_waits_until_it_can()
    {
        var time = new TimerWatch();
        var tries = 0;
        var (store, _) = StoreProxy.Around(_store, (tell, cancellationToken) =>
        {
            tries++;
            if (tries == 4) tell(ChangedElsewhere.Any);
            throw tries == 2 ? new InvalidOperationException("a bug") : new TlfsException(Reason.Unavailable, "no database");
        });
        var faults = 0;
        await using var relay = new DocumentRelay(_world.Server, store, _world.Tenants, time, onFault: _ => Interlocked.Increment(ref faults));

        foreach (var millis in new[] { 100, 200, 400, 100, 200, 400, 800, 1600, 3200, 5000, 5000 })
        {
            var wait = await time.Started.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal(millis, wait.TotalMilliseconds);
            time.Advance(wait);
        }

        await time.Started.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((12, 12), (tries, faults));
    }

    [Fact]
    public async Task So_many_changes_are_told_apart_and_with_one_more_every_document_is_read_again_once()
    {
        var (relay, proxy) = Start(new() { ChangesElsewhere = 2 });
        await using var _ = relay;
        var tell = await _listening.Task;
        var owner = _world.Tenant();
        var documents = new List<DocumentBuilder>();
        for (var i = 0; i < 3; i++)
        {
            documents.Add(await _world.HostedAsync(owner));
            await RelayWorld.ReadAllAsync(relay, owner, documents[i].Id);
        }

        tell(new([.. documents.Take(2).Select(document => DocPrefix.Of(document.Id))]));
        Assert.Equal([1, 1, 0], await ReadsAsync());
        Assert.Equal([0, 0, 0], await ReadsAsync());
        tell(new([DocPrefix.Of(documents[0].Id)]));
        Assert.Equal([1, 1, 1], await ReadsAsync());
        Assert.Equal([0, 0, 0], await ReadsAsync());

        // What looking at each of them costs.
        async Task<List<int>> ReadsAsync()
        {
            var reads = new List<int>();
            foreach (var document in documents)
            {
                var before = proxy.Reads;
                Assert.Null(await relay.WaitAsync(owner.Public, document.Id, 1, CancellationToken.None));
                reads.Add(proxy.Reads - before);
            }

            return reads;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    private (DocumentRelay Relay, StoreProxy Proxy) Start(RelayLimits? limits = null)
    {
        var (store, proxy) = StoreProxy.Around(_store, async (tell, cancellationToken) =>
        {
            tell(ChangedElsewhere.Any);
            _listening.TrySetResult(tell);
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        });
        return (_world.Start(store, limits), proxy);
    }

    /// <summary>A clock that says when somebody begins to wait by it, but for what happens once in minutes.</summary>
    private sealed class TimerWatch : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _started = Channel.CreateUnbounded<TimeSpan>();

        public ChannelReader<TimeSpan> Started => _started.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime < TimeSpan.FromMinutes(1)) _started.Writer.TryWrite(dueTime);
            return timer;
        }
    }
}
