using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>The end of a document's hosting (docs/protocol/sync.md §6.4).</summary>
public sealed class DeletionTests(PostgresFixture postgres)
{
    // Only so that what never comes fails instead of hanging; a busy machine takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Only_the_devices_of_the_host_delete_whatever_their_rights_and_the_room_is_free_at_once(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(TenantLimits.None);
        var (manager, revoked) = (world.Relays.Tenant(), world.Relays.Device());
        world.Relays.Tenants.Join(revoked.Public, account);
        var (document, other) = (await world.Relays.HostedAsync(owner), await world.Relays.HostedAsync(owner));
        await world.Relays.AcceptAsync(
            owner, document, document.NextGrant(owner, manager.Public, Permission.Control), document.NextGrant(owner, revoked.Public, Permission.Write));
        await world.Relays.AcceptAsync(owner, document, document.NextRevoke(owner, revoked.Public));

        foreach (var device in new[] { manager, world.Relays.Device() })
            Assert.Equal(Refusal.NotFound, (await world.Relays.Relay.DeleteAsync(device.Public, document.Id, Cancel)).Refusal);
        Assert.Equal(Refusal.NotFound, (await world.Relays.Relay.DeleteAsync(owner.Public, world.Relays.Document(owner).Id, Cancel)).Refusal);

        var freed = await world.Relays.Relay.DeleteAsync(revoked.Public, document.Id, Cancel);
        Assert.Equal((ulong)document.Envelopes.Sum(envelope => (long)envelope.Bytes.Length), freed.Value!.FreedBytes);
        Assert.Equal((ulong)other.Envelopes.Sum(envelope => (long)envelope.Bytes.Length), (await world.Store.FindUsageAsync(account, Cancel)).StoredBytes);
        Assert.Equal(Refusal.NotFound, (await world.Relays.Relay.ReadAsync(owner.Public, document.Id, new(0), Cancel)).Refusal);
        Assert.Equal(Refusal.NotFound, (await world.Relays.Relay.DeleteAsync(owner.Public, document.Id, Cancel)).Refusal);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(world.Relays.Relay, owner, other.Id)).Count);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task Whoever_waits_for_the_document_is_told_that_it_is_not_there(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, _) = world.Tenant(TenantLimits.None);
        var document = await world.Relays.HostedAsync(owner);
        var waiting = world.Relays.Relay.WaitAsync(owner.Public, document.Id, 2, Cancel);

        await world.Relays.Relay.DeleteAsync(owner.Public, document.Id, Cancel);

        Assert.Equal(Refusal.NotFound, await waiting);
    }

    [Theory, BothStores]
    public async Task A_document_that_is_pushed_again_begins_with_a_generation_of_size_0_also_at_a_relay_that_remembers_the_old_log(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(TenantLimits.None);
        var other = await world.AnotherAsync();
        var document = await world.Relays.HostedAsync(owner);
        await world.Relays.AcceptAsync(owner, document, document.NextDelta(owner), document.NextDelta(owner));
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(other, owner, document.Id)).Count);
        var head = (await other.HeadAsync(owner.Public, document.Id, 0, Cancel)).Outcome.Value!.Head;
        uint last = 0;
        for (var time = 1; time <= 2; time++)
        {
            world.Clock.Advance(TimeSpan.FromSeconds(1));
            await world.Relays.Relay.DeleteAsync(owner.Public, document.Id, Cancel);
            Assert.Equal(Refusal.NotFound, (await other.ReadAsync(owner.Public, document.Id, new(0), Cancel)).Refusal);
            world.Clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True((await RelayWorld.PushAsync(other, owner, document.Id, [.. document.Envelopes.Take(2)])).Succeeded);

            foreach (var relay in new[] { world.Relays.Relay, other })
            {
                Assert.Equal(2, (await RelayWorld.ReadAllAsync(relay, owner, document.Id)).Count);
                var generation = Assert.Single((await relay.BeginningAsync(owner.Public, document.Id, Cancel)).Value!.Generations);
                Assert.True(generation.Verify() && generation.Number > last && generation.TakesBack(head.Size, head.Micros));
                Assert.Equal(0UL, generation.Size);
            }

            last = (await other.BeginningAsync(owner.Public, document.Id, Cancel)).Value!.Generation;
            Assert.Equal(last, (await world.Store.FindAsync(document.Id, Cancel))!.Generation);
        }

        // Those that come after a restore are newer still.
        Assert.True((await world.Store.BeginGenerationAsync(0, Cancel)).Number > last);
        Assert.Equal(1UL, (await world.Store.FindUsageAsync(account, Cancel)).Documents);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task A_large_log_is_removed_little_by_little_and_a_new_one_waits_for_that(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres, limits: new() { PurgeEntries = 3 });
        var (owner, _) = world.Tenant(TenantLimits.None);
        var document = await world.Relays.HostedAsync(owner);
        for (var i = 0; i < 10; i++) await world.Relays.AcceptAsync(owner, document, document.NextDelta(owner));
        await DeleteWithoutPurgingAsync(world, document, 3);

        var refusal = await world.Relays.RefuseAsync(owner, document, [.. document.Envelopes.Take(2)]);
        Assert.Equal((Reason.Unavailable, TimeSpan.FromSeconds(1)), (refusal.Reason, refusal.RetryAfter));
        for (var left = 12 - 3; left >= 3; left -= 3) Assert.True(await world.Store.PurgeAsync(3, Cancel));
        Assert.True(await world.Store.PurgeAsync(3, Cancel));
        Assert.False(await world.Store.PurgeAsync(3, Cancel));
        await world.Relays.AcceptAsync(owner, document, [.. document.Envelopes.Take(2)]);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task What_a_process_did_not_finish_removing_the_next_one_removes(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, _) = world.Tenant(TenantLimits.None);
        var document = await world.Relays.HostedAsync(owner);
        await DeleteWithoutPurgingAsync(world, document, 1);

        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var next = Interception.Before(world.Store, (method, _, call) => method is nameof(IRelayStore.PurgeAsync) ? PurgeAsync((Task<bool>)call()!) : call());
        await using (world.Relays.Start(next)) await finished.Task.WaitAsync(Patience, Cancel);

        await world.Relays.AcceptAsync(owner, document, [.. document.Envelopes]);

        async Task<bool> PurgeAsync(Task<bool> purging)
        {
            var more = await purging;
            if (!more) finished.TrySetResult();
            return more;
        }
    }

    // As a process does that dies right after the commit.
    private static async Task DeleteWithoutPurgingAsync(TenancyWorld world, DocumentBuilder document, int removed)
    {
        await using var transaction = await world.Store.BeginAsync([document.Id], [], Cancel);
        var state = transaction.Documents[document.Id];
        var usage = transaction.Usage[state.Host];
        usage = usage with { StoredBytes = usage.StoredBytes - state.StoredBytes, Documents = usage.Documents - 1 };
        var host = new UsageChange(state.Host, usage, ShareKinds.None, new Dictionary<UsageShare, ulong>());
        await transaction.DeleteAsync(new(state, host, 7, 7, removed), Cancel);
    }
}
