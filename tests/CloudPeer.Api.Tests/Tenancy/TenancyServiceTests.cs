using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting.Commands;
using CloudPeer.Api.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>The calls and commands about tenants, over the wire and beside a running server.</summary>
public sealed class TenancyServiceTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task The_entitlement_says_every_limit_and_the_usage_what_fills_it(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(
            store, postgres, ("LOCAL_PLAN_BYTES", "100000"), ("LOCAL_PLAN_DOCUMENTS", "5"), ("LOCAL_PLAN_ENVELOPES_PER_DAY", "50"),
            ("LOCAL_PLAN_DEVICES", "3"), ("LOCAL_PLAN_INBOX_MESSAGES", "7"), ("LOCAL_PLAN_AUTHOR_PERCENT", "20"));
        using var alice = await TestDevice.RegisterAsync(server);
        var (small, large) = (await HostAsync(server, alice, 10, "app_a"), await HostAsync(server, alice, 3_000, ""));
        await alice.Accounts.SetAppBudgetAsync(new() { AppId = "app_a", LimitBytes = 9_000 }, alice.Options);
        await using var stream = new Relay.StreamClient(alice);
        await stream.SubscribeAsync(1, large.Id, 0);
        await stream.NextAsync();

        var entitlement = await alice.Accounts.GetEntitlementAsync(new(), alice.Options);
        using var call = alice.Accounts.GetUsage(new(), alice.Options);
        var usage = await call.ResponseStream.ReadAllAsync(Cancel).ToListAsync(Cancel);

        ulong Bytes(DocumentBuilder document) => (ulong)document.Envelopes.Sum(envelope => (long)envelope.Bytes.Length);
        Assert.Equal(
            [
                new() { Document = large.Id.ToWire(), StoredBytes = Bytes(large), Envelopes = 3 },
                new V1.DocumentUsage { Document = small.Id.ToWire(), StoredBytes = Bytes(small), Envelopes = 3, AppId = "app_a" },
            ],
            usage);
        Assert.Equal(
            [
                ("storage", "", 100_000UL, Bytes(large) + Bytes(small)), ("documents", "", 5UL, 2UL), ("envelopes-per-day", "", 50UL, 6UL), ("devices", "", 3UL, 1UL),
                ("inbox", "", 7UL, 0UL), ("author-storage", "", 20_000UL, 0UL), ("app-storage", "app_a", 9_000UL, Bytes(small)),
            ],
            entitlement.Limits.Select(limit => (limit.Resource, limit.AppId, limit.Limit, limit.Used)));
    }

    [Fact]
    public async Task An_account_has_budgets_for_so_many_apps_and_no_more()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        async Task SetAsync(string app, ulong limit) => await alice.Accounts.SetAppBudgetAsync(new() { AppId = app, LimitBytes = limit }, alice.Options);

        for (var i = 0; i < AccountLimits.AppBudgets; i++) await SetAsync($"app_{i}", 1);
        await SetAsync("app_0", 2);
        Assert.Equal(Reason.TooLarge, await Refused.ReasonAsync(() => SetAsync("one_more", 1)));
        await SetAsync("app_1", 0);
        await SetAsync("one_more", 1);
        foreach (var bad in new[] { "", "a b", new string('a', AccountLimits.AppIdLetters + 1) })
            Assert.Equal(Reason.BadArgument, await Refused.ReasonAsync(() => SetAsync(bad, 1)));
        Assert.Equal(AccountLimits.AppBudgets, (await alice.Accounts.GetEntitlementAsync(new(), alice.Options)).Limits.Count(limit => limit.AppId.Length > 0));
        Assert.Equal(Reason.BadArgument, await Refused.ReasonAsync(async () =>
            await alice.Sync.PushAsync(new() { Document = new DocumentBuilder(SystemEntropy.Instance, alice.Key).Id.ToWire(), AppId = "a b" }, alice.Options)));
    }

    [Theory, BothStores]
    public async Task A_deletion_is_signed_by_a_device_of_the_host(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.RegisterAsync(server);
        var document = await HostAsync(server, alice, 100, "");
        V1.DeleteDocumentRequest Request(TestDevice signer, ulong micros) => new()
        {
            Document = document.Id.ToWire(),
            Micros = micros,
            Signature = ByteString.CopyFrom(SignedRequest.Sign(signer.Key, server.Peer, SignedRequest.DeleteDocument, micros, SignedRequest.DocumentBytes(document.Id))),
        };
        Task<Reason> RefusedAsync(TestDevice caller, V1.DeleteDocumentRequest request) =>
            Refused.ReasonAsync(async () => await caller.Sync.DeleteDocumentAsync(request, caller.Options));

        Assert.Equal(Reason.NotFound, await RefusedAsync(bob, Request(bob, alice.Now)));
        Assert.Equal(Reason.BadProof, await RefusedAsync(alice, Request(bob, alice.Now)));
        Assert.Equal(Reason.BadProof, await RefusedAsync(alice, Request(alice, alice.Now - (ulong)SignedRequest.Tolerance.TotalMicroseconds - 1)));
        await using var stream = new Relay.StreamClient(alice);
        await stream.SubscribeAsync(1, document.Id, 3);
        Assert.Equal(V1.ServerFrame.ContentOneofCase.CaughtUp, (await stream.NextAsync()).ContentCase);

        var deleted = await alice.Sync.DeleteDocumentAsync(Request(alice, alice.Now), alice.Options);

        Assert.Equal((ulong)document.Envelopes.Sum(envelope => (long)envelope.Bytes.Length), deleted.FreedBytes);
        Assert.Equal("NOT_FOUND", (await stream.NextAsync()).Refused.Reason);
        Assert.Equal(0UL, (await alice.Accounts.GetEntitlementAsync(new(), alice.Options)).UsedBytes);
        Assert.Equal(Reason.NotFound, await RefusedAsync(alice, Request(alice, alice.Now)));
    }

    [Theory, BothStores]
    public async Task An_operator_holds_an_account_beside_a_running_server_which_sees_it_within_seconds(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "50000"));
        using var alice = await TestDevice.RegisterAsync(server);
        var document = await HostAsync(server, alice, 100, "");
        var account = alice.Card.Account.ToString();
        async Task<V1.BundleResult> PushAsync() => (await alice.Sync.PushAsync(
            new() { Document = document.Id.ToWire(), Bundles = { new V1.Bundle { Envelopes = { document.Delta(alice.Key, document.Draft(alice.Peer)).Bytes.ToWire() } } } },
            alice.Options)).Results[0];

        using var output = new StringWriter();
        await UserCommand.HoldAsync(server.Settings(), server.Clock, output, account, "read-only", json: true, Cancel);
        await UserCommand.ShowAsync(server.Settings(), server.Clock, output, account, json: true, Cancel);
        var used = document.Envelopes.Sum(envelope => (long)envelope.Bytes.Length);
        var line = $$"""{"account":"{{account}}","state":"read-only","used":{{used}},"quota":50000,"documents":1}""";
        Assert.Equal([line, line, ""], output.ToString().Split(Environment.NewLine));
        server.Clock.Advance(AccountLimits.Remembered);
        Assert.Equal("SUBSCRIPTION_READ_ONLY", (await PushAsync()).Refusal.Reason);
        Assert.Equal("read-only", (await alice.Accounts.GetEntitlementAsync(new(), alice.Options)).State);

        await UserCommand.HoldAsync(server.Settings(), server.Clock, output, account, "active", json: false, Cancel);
        server.Clock.Advance(AccountLimits.Remembered);
        Assert.Null((await PushAsync()).Refusal);
        foreach (var (expected, who, state) in new[] { (Reason.BadArgument, account, "asleep"), (Reason.BadArgument, "alice", "active"), (Reason.NotFound, "acct_" + account[^3..].PadLeft(52, 'a'), "active") })
        {
            var refused = await Assert.ThrowsAsync<TlfsException>(() => UserCommand.HoldAsync(server.Settings(), server.Clock, output, who, state, json: false, Cancel));
            Assert.Equal((expected, state), (refused.Reason, state));
        }
    }

    [Theory, BothStores]
    public async Task An_operator_counts_what_accounts_use_beside_a_running_server(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        await HostAsync(server, alice, 100, "");
        using var output = new StringWriter();

        await UsageCommand.CheckAsync(server.Settings(), server.Clock, output, repair: false, json: true, Cancel);

        Assert.Equal("""{"documents":1,"tenants":1,"differences":0,"wrong":0}""" + Environment.NewLine, output.ToString());
    }

    [Fact]
    public void An_inbox_holds_what_the_plan_allows_and_never_more_than_any_may()
    {
        (ulong Plan, int Messages)[] cases = [(0, InboxLimits.Contacts), (1, 1), (InboxLimits.Contacts, InboxLimits.Contacts), (InboxLimits.Contacts + 1, InboxLimits.Contacts)];
        Assert.All(cases, each => Assert.Equal(each.Messages, InboxLimits.Of(new TenantLimits { InboxMessages = each.Plan })));
    }

    private static async Task<DocumentBuilder> HostAsync(TestServer server, TestDevice owner, int bytes, string app)
    {
        var document = new DocumentBuilder(SystemEntropy.Instance, owner.Key);
        document.NextGrant(owner.Key, server.Peer, Permission.Sync);
        document.NextDelta(owner.Key, bytes);
        var request = new V1.PushRequest { Document = document.Id.ToWire(), AppId = app };
        request.Bundles.Add(new V1.Bundle { Envelopes = { document.Envelopes.Select(envelope => envelope.Bytes.ToWire()) } });
        Assert.Null((await owner.Sync.PushAsync(request, owner.Options)).Results[0].Refusal);
        return document;
    }
}
