using System.Collections.Immutable;
using CloudPeer.Api.Accounts;
using CloudPeer.Api.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>Each limit of a plan at the limit and one past it, and what each state of a tenant stores (docs/protocol/sync.md §6.1, §6.2).</summary>
public sealed class LimitTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Documents_are_hosted_up_to_the_limit_and_one_more_after_a_deletion(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(new() { Documents = 2 });
        var first = await world.Relays.HostedAsync(owner);
        await world.Relays.HostedAsync(owner);
        var third = world.Relays.Document(owner);

        await world.AssertFullAsync(QuotaResource.Documents, 2, 2, owner, third, third.Genesis);
        await world.Relays.AcceptAsync(owner, first, first.NextDelta(owner));
        Assert.True((await world.Relays.Relay.DeleteAsync(owner.Public, first.Id, Cancel)).Succeeded);
        await world.Relays.AcceptAsync(owner, third, third.Genesis);
        Assert.Equal(2UL, (await world.Store.FindUsageAsync(account, Cancel)).Documents);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task Envelopes_are_stored_up_to_the_days_limit_and_again_from_midnight_utc_on(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(new() { EnvelopesPerDay = 4 });
        var document = await world.Relays.HostedAsync(owner);
        var (third, fourth, fifth) = (document.NextDelta(owner), document.NextDelta(owner), document.NextDelta(owner));

        await world.AssertFullAsync(QuotaResource.EnvelopesPerDay, 4, 2, owner, document, third, fourth, fifth);
        await world.Relays.AcceptAsync(owner, document, third, fourth);
        var refusal = await world.AssertFullAsync(QuotaResource.EnvelopesPerDay, 4, 4, owner, document, fifth);
        Assert.Equal(TimeSpan.FromHours(12), refusal.RetryAfter);
        await world.Relays.AcceptAsync(owner, document, third, fourth);
        world.Clock.Advance(refusal.RetryAfter!.Value - TimeSpan.FromMilliseconds(1));
        await world.AssertFullAsync(QuotaResource.EnvelopesPerDay, 4, 4, owner, document, fifth);
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await world.Relays.AcceptAsync(owner, document, fifth);
        Assert.Equal(1UL, (await world.Store.FindUsageAsync(account, Cancel)).EnvelopesToday);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task One_author_who_is_not_the_hosts_uses_half_of_the_room_and_not_a_byte_more(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(new() { StorageBytes = 1 << 20 });
        var (greedy, modest) = (world.Relays.Device(), world.Relays.Device());
        var (first, second) = (await world.Relays.HostedAsync(owner), await world.Relays.HostedAsync(owner));
        foreach (var document in new[] { first, second })
        {
            await world.Relays.AcceptAsync(
                owner, document, document.NextGrant(owner, greedy.Public, Permission.Write), document.NextGrant(owner, modest.Public, Permission.Write));
        }

        await world.Relays.AcceptAsync(greedy, first, first.NextDelta(greedy, 9_000));
        await world.Relays.AcceptAsync(modest, first, first.NextDelta(modest, 5_000));
        var last = second.NextDelta(greedy, 6_000);
        var written = (ulong)first.Chain(greedy.Public).Sum(envelope => (long)envelope.Bytes.Length);
        var all = written + (ulong)last.Bytes.Length;

        // Half of the room is a byte less than the author needs, in two documents together.
        world.Relays.Tenants.Change(account, new TenantLimits { StorageBytes = 2 * all - 2 });
        await world.AssertFullAsync(QuotaResource.AuthorStorage, all - 1, written, greedy, second, last);
        await world.AssertFullAsync(QuotaResource.AuthorStorage, all - 1, written, owner, second, last);
        world.Relays.Tenants.Change(account, new TenantLimits { StorageBytes = 2 * all });
        await world.Relays.AcceptAsync(greedy, second, last);
        await world.AssertFullAsync(QuotaResource.AuthorStorage, all, all, greedy, first, first.NextDelta(greedy));

        // The host's own device, and everybody where the room has no bound or the plan no cap.
        world.Relays.Tenants.Change(account, new TenantLimits { StorageBytes = 4 * all });
        await world.Relays.AcceptAsync(owner, second, second.NextDelta(owner, (int)all));
        foreach (var limits in new[] { TenantLimits.None, new() { StorageBytes = 8 * all, AuthorPercent = 0 } })
        {
            world.Relays.Tenants.Change(account, limits);
            await world.Relays.AcceptAsync(greedy, second, second.NextDelta(greedy, (int)all));
        }

        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task What_an_account_is_told_of_its_apps_is_about_those_with_a_budget_and_does_not_count_the_account(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(TenantLimits.None);
        var used = 0UL;
        foreach (var app in new[] { "app_notes", "app_notes", "app_other", "" }) await BeginAsync(app);

        world.Relays.Tenants.Change(account, new TenantLimits { AppBytes = ImmutableDictionary<string, ulong>.Empty.Add("app_notes", 1 << 20).Add("app_none", 1) });
        var (asked, proxy) = StoreProxy.Around(world.Store);
        var usage = new PlanUsage(asked, [], world.Clock);

        Assert.Equal([("app_none", 0UL), ("app_notes", used)], await AppsAsync());
        // A push for one of them counts the apps, and keeps them counted.
        await BeginAsync("app_notes");
        Assert.True((await world.Store.FindUsageAsync(account, Cancel)).Counted.HasFlag(ShareKinds.Apps));
        Assert.Equal([("app_none", 0UL), ("app_notes", used)], await AppsAsync());
        Assert.Equal(0, proxy.Calls(nameof(IRelayStore.CountTenantAsync)));

        async Task BeginAsync(string app)
        {
            var document = world.Relays.Document(owner);
            IReadOnlyList<ReadOnlyMemory<byte>> bundle = [document.Genesis.Bytes];
            Assert.True(Assert.Single(await world.Relays.Relay.PushAsync(owner.Public, document.Id, [bundle], Cancel, app: app)).Succeeded);
            if (app is "app_notes") used += (ulong)document.Genesis.Bytes.Length;
        }

        async Task<List<(string, ulong)>> AppsAsync()
        {
            var tenant = await world.Relays.Tenants.FindAsync(account, Cancel);
            return [.. (await usage.FindAsync(tenant!, Cancel)).Where(use => use.Resource == QuotaResource.AppStorage).Select(use => (use.App, use.Used))];
        }
    }

    [Theory, BothStores]
    public async Task A_document_counts_to_the_budget_of_the_app_that_brought_it(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(TenantLimits.None);
        var (notes, other) = (world.Relays.Document(owner), world.Relays.Document(owner));
        await BeginAsync(world, notes, owner, "app_notes");
        await BeginAsync(world, other, owner, "app_other");
        var delta = notes.NextDelta(owner, 1_000);
        var used = (ulong)notes.Genesis.Bytes.Length;
        var enough = used + (ulong)delta.Bytes.Length;

        // Whatever app pushes later, and whatever other apps store.
        world.Relays.Tenants.Change(account, Budget(enough - 1));
        await world.AssertFullAsync(QuotaResource.AppStorage, enough - 1, used, owner, notes, delta);
        await world.Relays.AcceptAsync(owner, other, other.NextDelta(owner, 5_000));
        world.Relays.Tenants.Change(account, Budget(enough));
        await world.Relays.AcceptAsync(owner, notes, delta);
        await world.AssertFullAsync(QuotaResource.AppStorage, enough, enough, owner, notes, notes.NextDelta(owner));
        Assert.Equal(["app_other", "app_notes"], (await world.Store.ReadHostedAsync(account, 10, Cancel)).Select(hosted => hosted.App), StringComparer.Ordinal);
        Assert.Equal(other.Id, Assert.Single(await world.Store.ReadHostedAsync(account, 1, Cancel)).Document);
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task Two_relays_over_one_database_store_exactly_what_the_limit_allows(StoreKind store)
    {
        const int pushes = 60, allowed = 23, documents = 6;
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        DocumentRelay[] relays = [world.Relays.Relay, await world.AnotherAsync()];
        var (owner, account) = world.Tenant(new() { EnvelopesPerDay = 2 * documents + allowed });
        var hosted = new List<DocumentBuilder>();
        for (var i = 0; i < documents; i++) hosted.Add(await world.Relays.HostedAsync(owner));
        var deltas = Enumerable.Range(0, pushes).Select(i => hosted[i % documents].NextDelta(owner, draft => draft with { Deps = [] })).ToList();

        // What was refused leaves a gap in its chain, so that the rest of that document is refused too: only what is stored is counted.
        await Task.WhenAll(Enumerable.Range(0, documents).Select(async d =>
        {
            for (var i = d; i < pushes; i += documents) await RelayWorld.PushAsync(relays[i / documents % 2], owner, hosted[d].Id, deltas[i]);
        }));

        Assert.Equal(2UL * documents + allowed, (await world.Store.FindUsageAsync(account, Cancel)).EnvelopesToday);
        await world.AssertExactAsync();
        Assert.Empty(world.Relays.Faults);
    }

    [Theory, BothStores]
    public async Task A_tenant_stores_what_its_state_allows(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(TenantLimits.None);
        var member = world.Relays.Device();
        var document = await world.Relays.HostedAsync(owner);
        await world.Relays.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        Envelope Own() => document.Delta(owner, document.Draft(owner.Public));
        Envelope Theirs() => document.Delta(member, document.Draft(member.Public));

        world.Relays.Tenants.Change(account, TenantLimits.None, TenantState.ReadOnly);
        Assert.Equal(Reason.SubscriptionReadOnly, (await world.Relays.RefuseAsync(owner, document, Own())).Reason);
        await world.Relays.AcceptAsync(member, document, document.NextDelta(member));
        world.Relays.Tenants.Change(account, new TenantLimits { StorageBytes = 1 }, TenantState.ReadOnly);
        Assert.Equal(Reason.QuotaExceeded, (await world.Relays.RefuseAsync(member, document, Theirs())).Reason);

        world.Relays.Tenants.Change(account, TenantLimits.None, TenantState.ExportOnly);
        Assert.Equal(Reason.SubscriptionReadOnly, (await world.Relays.RefuseAsync(owner, document, Own())).Reason);
        Assert.Equal(Reason.SubscriptionReadOnly, (await world.Relays.RefuseAsync(member, document, Theirs())).Reason);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(world.Relays.Relay, member, document.Id)).Count);

        world.Relays.Tenants.Change(account, TenantLimits.None, TenantState.Suspended);
        Assert.Equal(Reason.NotFound, (await world.Relays.RefuseAsync(member, document, Theirs())).Reason);
        Assert.False(await world.Relays.Relay.MayReadAsync(member.Public, document.Id, Cancel));
        Assert.Equal(Reason.SubscriptionReadOnly, (await world.Relays.RefuseAsync(owner, document, Own())).Reason);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(world.Relays.Relay, owner, document.Id)).Count);

        world.Relays.Tenants.Change(account, TenantLimits.None);
        await world.Relays.AcceptAsync(member, document, document.NextDelta(member));
    }

    [Fact]
    public void A_tenant_has_as_many_devices_connected_as_its_plan_allows_and_strangers_do_not_count()
    {
        var streams = new StreamCounter();
        using var entropy = new RelayKeys();
        var (first, second, third, stranger) = (entropy.Next(), entropy.Next(), entropy.Next(), entropy.Next());
        var tenant = new TenantInfo(new(first.Value), TenantState.Active, new() { Devices = 2 }) { Devices = [first, second, third] };

        using var one = streams.Enter(first, tenant);
        using var again = streams.Enter(first, tenant);
        var two = streams.Enter(second, tenant);
        using var other = streams.Enter(stranger, null);
        var refusal = Assert.Throws<RefusedException>(() => streams.Enter(third, tenant)).Refusal;
        Assert.Equal((Reason.QuotaExceeded, new QuotaUse(QuotaResource.Devices, 2, 2)), (refusal.Reason, refusal.Quota));
        two.Dispose();
        streams.Enter(third, tenant).Dispose();
        Assert.Equal(1UL, streams.Connected(tenant));
    }

    private static TenantLimits Budget(ulong bytes) => new() { AppBytes = ImmutableDictionary<string, ulong>.Empty.Add("app_notes", bytes) };

    private static async Task BeginAsync(TenancyWorld world, DocumentBuilder document, Tlfs.Core.Crypto.SigningKey owner, string app)
    {
        var results = await world.Relays.Relay.PushAsync(owner.Public, document.Id, [[document.Genesis.Bytes]], Cancel, app: app);
        Assert.True(Assert.Single(results).Succeeded);
    }

    private sealed class RelayKeys : IDisposable
    {
        private readonly List<Tlfs.Core.Crypto.SigningKey> _keys = [];

        public Tlfs.Core.Ids.PeerId Next()
        {
            _keys.Add(Tlfs.Core.Crypto.SigningKey.Generate(Tlfs.Core.Crypto.SystemEntropy.Instance));
            return _keys[^1].Public;
        }

        public void Dispose() => _keys.ForEach(key => key.Dispose());
    }
}
