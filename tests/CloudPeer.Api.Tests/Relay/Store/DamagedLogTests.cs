using CloudPeer.Api.Tests.Server;
using CloudPeer.Api.Tests.Tenancy;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>A log that lacks rows is refused where they are missing, and nothing is served in their place.</summary>
public sealed class DamagedLogTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task A_page_ends_before_a_row_that_is_missing_and_the_next_one_is_unavailable(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, _) = world.Tenant(TenantLimits.None);
        var document = await world.Relays.HostedAsync(owner);
        for (var i = 0; i < 3; i++) await world.Relays.AcceptAsync(owner, document, document.NextDelta(owner));
        await world.ExecuteAsync("DELETE FROM envelope WHERE idx = 3");

        var before = await world.Relays.Relay.ReadAsync(owner.Public, document.Id, new(0), Cancel);
        var missing = await world.Relays.Relay.ReadAsync(owner.Public, document.Id, new(3), Cancel);
        var behind = await world.Relays.Relay.ReadAsync(owner.Public, document.Id, new(4), Cancel);

        Assert.Equal(document.Envelopes.Take(3).Select(envelope => envelope.Id), before.Value!.Entries.Select(entry => entry.Id));
        Assert.Null(before.Value.CaughtUp);
        Assert.Equal(Reason.Unavailable, missing.Refusal?.Reason);
        Assert.Equal(document.Envelopes[4].Id, Assert.Single(behind.Value!.Entries).Id);
    }

    [Theory, BothStores]
    public async Task A_document_that_lacks_a_statement_is_unavailable(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, _) = world.Tenant(TenantLimits.None);
        var document = await world.Relays.HostedAsync(owner);
        await world.ExecuteAsync("DELETE FROM envelope WHERE idx = 1");
        var cold = await world.AnotherAsync();

        Assert.Equal(Reason.Unavailable, (await cold.ReadAsync(owner.Public, document.Id, new(0), Cancel)).Refusal?.Reason);
    }
}
