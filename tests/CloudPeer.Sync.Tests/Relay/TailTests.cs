using CloudPeer.Sync.Relay;
using CloudPeer.TestKit.Relay;
using CsCheck;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>The end of a log in memory: what followers are given from there is what the store holds (sync.md §3.3).</summary>
public sealed class TailTests
{
    private static readonly Gen<(ulong Seed, int TailBytes, int[] Steps)> Schedules = Gen.Select(Gen.ULong, Gen.Int[1, 4000], Gen.Int[0, 5].Array[5, 40]);

    [Fact]
    public async Task Followers_that_keep_up_cost_no_read_of_the_store()
    {
        await using var memory = new MemoryRelayStore();
        var (store, proxy) = StoreProxy.Around(memory);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        Follower[] followers = [.. Enumerable.Range(0, 20).Select(_ => new Follower(world.Relay, owner, document.Id))];
        foreach (var follower in followers) await follower.CatchUpAsync();
        var before = proxy.Calls(nameof(IRelayStore.ReadAsync));

        for (var i = 0; i < 10; i++)
        {
            var waiting = followers.Select(follower => follower.WaitAsync()).ToArray();
            await world.AcceptAsync(owner, document, document.NextDelta(owner));
            await Task.WhenAll(waiting);
            foreach (var follower in followers) await follower.CatchUpAsync();
        }

        Assert.Equal(before, proxy.Calls(nameof(IRelayStore.ReadAsync)));
        Assert.All(followers, follower => Assert.Equal(document.Envelopes.Select(envelope => envelope.Id), follower.Seen));
    }

    [Fact]
    public async Task A_document_that_nobody_follows_keeps_no_entries()
    {
        await using var memory = new MemoryRelayStore();
        var (store, proxy) = StoreProxy.Around(memory);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextDelta(owner));
        var before = proxy.Calls(nameof(IRelayStore.ReadAsync));
        await new Follower(world.Relay, owner, document.Id) { IsFollowing = true }.CatchUpAsync();
        Assert.Equal(before + 1, proxy.Calls(nameof(IRelayStore.ReadAsync)));
    }

    [Fact]
    public async Task A_reader_that_only_pulls_is_told_of_what_another_process_appended()
    {
        await using var store = new MemoryRelayStore();
        await using var world = new RelayWorld(store);
        await using var other = world.Start(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(other, owner, document.Id)).Count);
        await world.AcceptAsync(owner, document, document.NextDelta(owner));
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(other, owner, document.Id)).Count);
    }

    [Fact]
    public Task Whatever_the_bounds_and_the_pace_followers_see_the_log() => Schedules.SampleAsync(RunAsync, iter: 100, threads: 1);

    // Each step pushes that many envelopes; each follower catches up every so many steps.
    private static async Task RunAsync((ulong Seed, int TailBytes, int[] Steps) schedule)
    {
        await using var store = new MemoryRelayStore();
        var limits = new RelayLimits { TailBytes = schedule.TailBytes, PageEnvelopes = 4, PageBytes = 2000, RecentIds = 3, CachedItems = 500 };
        await using var world = new RelayWorld(store, schedule.Seed, limits);
        var (owner, member) = (world.Tenant(), world.Device());
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Sync));
        Follower[] followers = [.. Enumerable.Range(0, 4).Select(i => new Follower(world.Relay, i < 2 ? owner : member, document.Id))];
        for (var step = 0; step < schedule.Steps.Length; step++)
        {
            for (var i = 0; i < schedule.Steps[step]; i++) await world.AcceptAsync(owner, document, document.NextDelta(owner, 16 * (i + 1)));
            for (var i = 0; i < followers.Length; i++)
                if (step % (i + 1) == 0) await followers[i].CatchUpAsync();
        }

        foreach (var follower in followers)
        {
            await follower.CatchUpAsync();
            Assert.Equal(document.Envelopes.Select(envelope => envelope.Id), follower.Seen);
        }
    }

    /// <summary>What a stream does for one subscription.</summary>
    private sealed class Follower(DocumentRelay relay, SigningKey reader, DocId document)
    {
        private readonly List<EnvelopeId> _seen = [];

        public bool IsFollowing { get; init; }

        public IReadOnlyList<EnvelopeId> Seen => _seen;

        public Task<Refusal?> WaitAsync() => relay.WaitAsync(reader.Public, document, (ulong)_seen.Count, CancellationToken.None);

        public async Task CatchUpAsync()
        {
            var isFollowing = IsFollowing || _seen.Count > 0;
            while (true)
            {
                var page = await relay.ReadAsync(reader.Public, document, new((ulong)_seen.Count) { IsFollowing = isFollowing }, CancellationToken.None);
                Assert.True(page.Succeeded, page.Refusal?.ToString());
                Assert.Equal((ulong)_seen.Count, page.Value.FirstIndex);
                _seen.AddRange(page.Value.Entries.Select(entry => entry.Id));
                if (page.Value.CaughtUp is not { } head) continue;
                Assert.True(head.Verify() && head.Size == (ulong)_seen.Count);
                await WaitABitAsync();
                return;
            }
        }

        // As a subscription does: it waits from here on, which is what makes the relay keep entries.
        private async Task WaitABitAsync()
        {
            using var stop = new CancellationTokenSource();
            var waiting = relay.WaitAsync(reader.Public, document, (ulong)_seen.Count, stop.Token);
            await stop.CancelAsync();
            try
            {
                await waiting;
            }
            catch (OperationCanceledException)
            {
                // Nothing has come meanwhile.
            }
        }
    }
}
