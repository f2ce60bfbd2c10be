using CloudPeer.Sync.Relay;
using CloudPeer.TestKit.Relay;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Cursors and wake-ups (sync.md §3.3, §3.4).</summary>
public sealed class SubscriptionTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public SubscriptionTests() => _world = new(_store);

    [Fact]
    public async Task A_waiter_wakes_when_the_log_has_grown_past_its_cursor_and_not_for_other_documents()
    {
        var owner = _world.Tenant();
        var (document, other) = (await _world.HostedAsync(owner), await _world.HostedAsync(owner));
        Assert.Null(await _world.Relay.WaitAsync(owner.Public, document.Id, 1, CancellationToken.None));

        var waiting = _world.Relay.WaitAsync(owner.Public, document.Id, 3, CancellationToken.None);
        await _world.AcceptAsync(owner, other, other.NextDelta(owner), other.NextDelta(owner));
        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        Assert.False(waiting.IsCompleted);
        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        Assert.Null(await waiting);
    }

    [Fact]
    public async Task Many_waiters_of_one_document_all_wake_and_a_cancelled_one_leaves()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        using var cancel = new CancellationTokenSource();
        var cancelled = _world.Relay.WaitAsync(owner.Public, document.Id, 2, cancel.Token);
        var waiting = Enumerable.Range(0, 200).Select(_ => _world.Relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None)).ToList();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        Assert.All(await Task.WhenAll(waiting), Assert.Null);
    }

    [Fact]
    public async Task A_subscription_ends_with_the_commit_that_revokes_its_reader_and_the_others_go_on()
    {
        var (owner, member, other) = (_world.Tenant(), _world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(
            owner, document, document.NextGrant(owner, member.Public, Permission.Read), document.NextGrant(owner, other.Public, Permission.Read));
        var revoked = _world.Relay.WaitAsync(member.Public, document.Id, 1000, CancellationToken.None);
        var staying = _world.Relay.WaitAsync(other.Public, document.Id, 5, CancellationToken.None);

        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, member.Public));
        Assert.Equal(Refusal.NotFound, await revoked);
        Assert.Equal(Refusal.NotFound, (await _world.Relay.ReadAsync(member.Public, document.Id, new(0), CancellationToken.None)).Refusal);
        await _world.AcceptAsync(owner, document, document.NextDelta(owner));
        Assert.Null(await staying);
    }

    [Fact]
    public async Task A_log_that_came_anew_is_not_gone_on_with_also_when_it_is_longer()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var page = await _world.Relay.ReadAsync(owner.Public, document.Id, new(0), CancellationToken.None);
        var next = new LogRange(0).After(page.Value!);
        var waiting = _world.Relay.WaitAsync(owner.Public, document.Id, next.From, CancellationToken.None, next.Generation);

        Assert.True((await _world.Relay.DeleteAsync(owner.Public, document.Id, CancellationToken.None)).Succeeded);
        Assert.Equal(Refusal.NotFound, await waiting);
        document.NextDelta(owner);
        await _world.AcceptAsync(owner, document, [.. document.Envelopes]);

        Assert.Equal(Refusal.NotFound, await _world.Relay.WaitAsync(owner.Public, document.Id, next.From, CancellationToken.None, next.Generation));
        Assert.Equal(Refusal.NotFound, (await _world.Relay.ReadAsync(owner.Public, document.Id, next, CancellationToken.None)).Refusal);
        Assert.Equal(Refusal.NotFound, (await _world.Relay.ReadAsync(owner.Public, document.Id, next with { IsFollowing = false }, CancellationToken.None)).Refusal);
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(_world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task A_page_has_at_most_so_many_envelopes_and_bytes_but_at_least_one_envelope()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var limits = new RelayLimits();
        for (var i = 0; i < limits.PageEnvelopes; i++) await _world.AcceptAsync(owner, document, document.NextDelta(owner, 16));
        await _world.AcceptAsync(owner, document, document.NextDelta(owner, limits.PageBytes * 2), document.NextDelta(owner, 16));

        var first = (await _world.Relay.ReadAsync(owner.Public, document.Id, new(0), CancellationToken.None)).Value!;
        Assert.Equal(limits.PageEnvelopes, first.Entries.Count);
        Assert.Null(first.CaughtUp);
        var large = (await _world.Relay.ReadAsync(owner.Public, document.Id, new((ulong)limits.PageEnvelopes + 2), CancellationToken.None)).Value!;
        Assert.Single(large.Entries);
        var last = (await _world.Relay.ReadAsync(owner.Public, document.Id, new((ulong)limits.PageEnvelopes + 3), CancellationToken.None)).Value!;
        Assert.Equal((ulong)limits.PageEnvelopes + 4, last.CaughtUp!.Size);
        Assert.Equal(document.Envelopes.Count, (await RelayWorld.ReadAllAsync(_world.Relay, owner, document.Id)).Count);
    }

    [Theory]
    [InlineData(false, 0, 3)]
    [InlineData(false, 1, 2)]
    [InlineData(true, 0, 3)]
    [InlineData(true, 1, 2)]
    public async Task A_page_has_so_many_bytes_and_not_one_more(bool fromMemory, int less, int entries)
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var deltas = Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner)).ToArray();
        var (store, proxy) = StoreProxy.Around(_store);
        await using var relay = _world.Start(store, new() { PageBytes = deltas[..3].Sum(delta => delta.Bytes.Length) - less });
        await RelayWorld.ReadAllAsync(relay, owner, document.Id);
        // While somebody waits, what comes is kept in memory.
        var waiting = fromMemory ? relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None) : Task.FromResult<Refusal?>(null);
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, deltas)).Succeeded);
        Assert.Null(await waiting);
        var before = proxy.Calls(nameof(IRelayStore.ReadAsync));

        var page = (await relay.ReadAsync(owner.Public, document.Id, new(2) { IsFollowing = fromMemory }, CancellationToken.None)).Value!;

        Assert.Equal(deltas[..entries].Select(delta => delta.Id), page.Entries.Select(entry => entry.Id));
        Assert.Equal(fromMemory ? before : before + 1, proxy.Calls(nameof(IRelayStore.ReadAsync)));
    }

    [Fact]
    public async Task A_commit_while_somebody_reads_the_end_of_a_log_is_not_forgotten_again_and_wakes_who_waits()
    {
        var (read, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        async Task<LogSlice?> HoldAsync(Task<LogSlice?> slice)
        {
            var found = await slice;
            read.TrySetResult();
            await goOn.Task;
            return found;
        }

        var store = Interception.Before<IRelayStore>(_store, (method, _, next) => method is nameof(IRelayStore.ReadAsync) ? HoldAsync((Task<LogSlice?>)next()!) : next());
        await using var relay = _world.Start(store);
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var reading = relay.ReadAsync(owner.Public, document.Id, new(2), CancellationToken.None);
        await read.Task;
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, document.NextDelta(owner))).Succeeded);
        goOn.SetResult();

        var next = new LogRange(2).After((await reading).Value!);
        Assert.Single((await relay.ReadAsync(owner.Public, document.Id, next, CancellationToken.None)).Value!.Entries);
        Assert.Null(await relay.WaitAsync(owner.Public, document.Id, 2, CancellationToken.None));
    }

    [Theory]
    [InlineData(2UL)]
    [InlineData(3UL)]
    [InlineData(ulong.MaxValue)]
    public async Task Reading_from_the_end_or_past_it_gives_the_head_alone(ulong from)
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var page = (await _world.Relay.ReadAsync(owner.Public, document.Id, new(from), CancellationToken.None)).Value!;
        Assert.Empty(page.Entries);
        Assert.True(page.CaughtUp!.Verify());
        Assert.Equal(2UL, page.CaughtUp.Size);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }
}
