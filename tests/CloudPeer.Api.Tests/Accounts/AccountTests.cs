using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Api.Tests.Accounts;

public sealed class AccountTests(PostgresFixture postgres)
{
    [Theory, BothStores]
    public async Task An_account_becomes_a_tenant_once_and_stays_one_after_a_restart(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "12345"));
        using var device = await TestDevice.ConnectAsync(server);
        var request = new V1.CreateAccountRequest { Card = device.Card.Bytes.ToWire(), AppId = "app_notes" };

        var created = await device.Accounts.CreateAsync(request, device.Options);
        var again = await device.Accounts.CreateAsync(request, device.Options);
        await server.RestartAsync();
        var found = await device.Accounts.GetEntitlementAsync(new(), device.Options);

        Assert.Equal(
            (device.Card.Account.ToWire(), "local", 12345UL, 0UL, "active"),
            (created.Account, created.Plan, created.QuotaBytes, created.UsedBytes, created.State));
        Assert.Equal(new V1.LimitUse { Resource = "storage", Limit = 12345 }, created.Limits[0]);
        Assert.Equal(created, again);
        Assert.Equal(created, found);
    }

    [Theory, BothStores]
    public async Task A_card_is_found_by_account_and_by_device_and_by_anybody_with_a_session(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var device = await TestDevice.RegisterAsync(server);
        using var stranger = await TestDevice.ConnectAsync(server);

        var byAccount = await stranger.Keys.GetCardAsync(new() { Account = device.Card.Account.ToWire() }, stranger.Options);
        var byDevice = await stranger.Keys.GetCardAsync(new() { Peer = device.Peer.ToWire() }, stranger.Options);

        Assert.Equal(device.Card.Bytes.ToArray(), byAccount.Card.ToByteArray());
        Assert.Equal(byAccount, byDevice);
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () =>
            await stranger.Keys.GetCardAsync(new() { Account = stranger.Card.Account.ToWire() }, stranger.Options)));
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () =>
            await stranger.Keys.GetCardAsync(new() { Peer = stranger.Peer.ToWire() }, stranger.Options)));
        Assert.Equal(Reason.Malformed, await Refused.ReasonAsync(async () => await stranger.Keys.GetCardAsync(new(), stranger.Options)));
    }

    [Theory, BothStores]
    public async Task Only_its_own_device_registers_an_account_and_a_device_has_one(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var device = await TestDevice.RegisterAsync(server);
        using var other = await TestDevice.ConnectAsync(server);
        var second = TestDevice.MakeCard(SystemEntropy.Instance, device.Key, device.Kem, 1);

        Assert.Equal(Reason.NotAuthorised, await Refused.ReasonAsync(async () =>
            await other.Accounts.CreateAsync(new() { Card = device.Card.Bytes.ToWire() }, other.Options)));
        Assert.Equal(Reason.BadArgument, await Refused.ReasonAsync(async () =>
            await device.Accounts.CreateAsync(new() { Card = second.Bytes.ToWire() }, device.Options)));
    }

    [Theory, BothStores]
    public async Task Registering_at_the_same_moment_makes_one_tenant(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var device = await TestDevice.ConnectAsync(server);

        var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            device.Accounts.CreateAsync(new() { Card = device.Card.Bytes.ToWire() }, device.Options).ResponseAsync));

        Assert.Single(created.Distinct());
    }

    [Fact]
    public async Task A_damaged_card_and_a_strange_app_id_are_refused()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var device = await TestDevice.ConnectAsync(server);
        var card = device.Card.Bytes.ToArray();
        card[^1] ^= 1;
        (Reason Expected, V1.CreateAccountRequest Request)[] cases =
        [
            (Reason.Malformed, new()),
            (Reason.Malformed, new() { Card = ByteString.CopyFrom(card[..^1]) }),
            (Reason.PartHash, new() { Card = ByteString.CopyFrom(card) }),
            (Reason.TooLarge, new() { Card = ByteString.CopyFrom(new byte[Limits.CardBytes + 1]) }),
            (Reason.BadArgument, new() { Card = device.Card.Bytes.ToWire(), AppId = "app_a b" }),
            (Reason.BadArgument, new() { Card = device.Card.Bytes.ToWire(), AppId = new('a', 65) }),
        ];

        foreach (var (expected, request) in cases)
            Assert.Equal(expected, await Refused.ReasonAsync(async () => await device.Accounts.CreateAsync(request, device.Options)));
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), device.Options)));
    }

    [Fact]
    public async Task A_closed_server_takes_no_new_accounts_and_keeps_those_it_has()
    {
        await using var open = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var member = await TestDevice.RegisterAsync(open);

        await open.RestartAsync(("REGISTRATION", "closed"));
        using var late = await TestDevice.ConnectAsync(open);

        Assert.Equal(Reason.RegistrationClosed, await Refused.ReasonAsync(async () =>
            await late.Accounts.CreateAsync(new() { Card = late.Card.Bytes.ToWire() }, late.Options)));
        await member.Accounts.CreateAsync(new() { Card = member.Card.Bytes.ToWire() }, member.Options);
    }
}
