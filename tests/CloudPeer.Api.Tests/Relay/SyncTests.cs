using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

public sealed class SyncTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task What_is_pushed_has_receipts_and_is_pulled_with_a_head_after_a_restart(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SharedDocument(alice, server);
        for (var i = 0; i < 100; i++) document.NextDelta(alice.Key);

        var receipts = await PushAsync(alice, document.Id, document.Envelopes);
        await server.RestartAsync();
        var (envelopes, head) = await PullAsync(alice, document.Id, 0);

        Assert.Equal(document.Envelopes.Select(envelope => envelope.Id), receipts.Select(receipt => receipt.Leaf.Envelope));
        Assert.All(receipts, receipt => Assert.True(receipt.Verify()));
        Assert.Equal(document.Envelopes.Select(envelope => envelope.Bytes.ToArray()), envelopes.Select(entry => entry.Envelope.ToByteArray()));
        Assert.True(head.Verify());
        Assert.Equal((server.Peer, (ulong)document.Envelopes.Count), (head.Server, head.Size));
        Assert.Equal(receipts[^1].Leaf.Root, head.Root);
        Assert.Equal(receipts, await PushAsync(alice, document.Id, document.Envelopes), SameReceipt);
    }

    [Theory, BothStores]
    public async Task A_pull_may_leave_out_the_callers_own_envelopes_and_start_anywhere(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = SharedDocument(alice, server);
        document.NextGrant(alice.Key, bob.Peer, Permission.Write);
        document.NextDelta(bob.Key);
        document.NextDelta(alice.Key);
        await PushAsync(bob.Sync, alice, document.Id, document.Envelopes);

        var (entries, head) = await PullAsync(bob, document.Id, 1, omitOwn: true);
        var (none, same) = await PullAsync(bob, document.Id, head.Size);

        Assert.Equal(document.Envelopes.Skip(1).Select(envelope => envelope.Id), entries.Select(Identify));
        Assert.Equal([false, false, true, false], entries.Select(entry => entry.ContentCase is V1.Entry.ContentOneofCase.Id));
        Assert.Empty(none);
        Assert.Equal(head.Root, same.Root);
    }

    [Theory, BothStores]
    public async Task A_refused_bundle_names_its_envelopes_and_the_next_one_goes_on(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SharedDocument(alice, server);
        await PushAsync(alice, document.Id, document.Envelopes);
        var next = document.NextDelta(alice.Key);
        var gap = document.NextDelta(alice.Key);

        var response = await alice.Sync.PushAsync(Request(document.Id, [gap], [next]), alice.Options);

        var refusal = WireRefusal.Read(response.Results[0].Refusal);
        Assert.Equal(Reason.ChainBehind, refusal.Reason);
        Assert.Equal([gap.Id], refusal.Envelopes);
        Assert.Equal((alice.Peer, next.Header.Seq - 1), (refusal.Tip!.Author, refusal.Tip.Seq));
        Assert.Single(response.Results[1].Receipts);
    }

    [Theory, BothStores]
    public async Task A_full_tenant_is_told_limit_and_use_and_its_entitlement_says_the_same(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "8192"));
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SharedDocument(alice, server);
        await PushAsync(alice, document.Id, document.Envelopes);
        var large = document.NextDelta(alice.Key, 8_192);

        var response = await alice.Sync.PushAsync(Request(document.Id, [large]), alice.Options);
        var entitlement = await alice.Accounts.GetEntitlementAsync(new(), alice.Options);

        var refusal = WireRefusal.Read(response.Results[0].Refusal);
        Assert.Equal(Reason.QuotaExceeded, refusal.Reason);
        Assert.Equal((8_192UL, entitlement.UsedBytes), (refusal.Quota!.Limit, refusal.Quota.Used));
        Assert.Equal((ulong)document.Envelopes.Take(2).Sum(envelope => envelope.Bytes.Length), entitlement.UsedBytes);
    }

    [Theory, BothStores]
    public async Task A_stranger_learns_nothing_from_push_pull_or_subscribe(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var stranger = await TestDevice.ConnectAsync(server);
        var document = SharedDocument(alice, server);
        await PushAsync(alice, document.Id, document.Envelopes);
        var unknown = new DocumentBuilder(SystemEntropy.Instance, alice.Key);
        var answers = new List<(V1.BundleResult Push, V1.Refusal Pull, V1.Refusal Subscribe)>();

        foreach (var target in new[] { document, unknown })
        {
            var pushed = await stranger.Sync.PushAsync(Request(target.Id, [target.NextDelta(alice.Key)]), stranger.Options);
            pushed.Results[0].Refusal.Envelopes.Clear();
            var pulled = await Refused.RefusalAsync(() => PullAsync(stranger, target.Id, 0));
            await using var stream = new StreamClient(stranger);
            await stream.SubscribeAsync(1, target.Id, 0);
            answers.Add((pushed.Results[0], pulled.ToWire(), (await stream.NextAsync()).Refused));
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.Equal("NOT_FOUND", answers[0].Push.Refusal.Reason);
        Assert.Equal("NOT_FOUND", answers[0].Pull.Reason);
        Assert.Equal("NOT_FOUND", answers[0].Subscribe.Reason);
    }

    [Theory, BothStores]
    public async Task A_browser_pulls_over_grpc_web(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SharedDocument(alice, server);
        await PushAsync(alice, document.Id, document.Envelopes);
        using var http = new HttpClientHandler();
        using var handler = new GrpcWebHandler(GrpcWebMode.GrpcWebText, http);
        using var channel = GrpcChannel.ForAddress(server.HttpUrl, new() { HttpHandler = handler, HttpVersion = new(1, 1) });

        var (entries, head) = await PullAsync(new(channel), alice, document.Id, 0, omitOwn: false);
        var refusal = await Refused.RefusalAsync(() => PullAsync(new(channel), alice, new(alice.Peer.Value), 0, omitOwn: false));

        Assert.Equal(document.Envelopes.Count, entries.Count);
        Assert.True(head.Verify());
        Assert.Equal(Reason.NotFound, refusal.Reason);
    }

    [Fact]
    public async Task A_frame_over_four_mebibytes_is_refused_and_the_server_goes_on()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var request = new V1.PushRequest { Document = alice.Peer.ToWire(), Bundles = { new V1.Bundle { Envelopes = { ByteString.CopyFrom(new byte[(4 << 20) + 1]) } } } };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await alice.Sync.PushAsync(request, alice.Options));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Equal(Reason.TooLarge, Refusals.FromRpc(failure).Reason);
        await alice.Accounts.GetEntitlementAsync(new(), alice.Options);
    }

    /// <summary>Half a megabyte of nothing must not become a large answer.</summary>
    [Fact]
    public async Task A_push_of_too_many_bundles_is_refused_as_a_call()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var request = new V1.PushRequest { Document = alice.Peer.ToWire(), Bundles = { Enumerable.Repeat(new V1.Bundle { IfCurrent = true }, 100_000) } };

        var refusal = await Refused.RefusalAsync(async () => await alice.Sync.PushAsync(request, alice.Options));

        Assert.Equal(Reason.TooLarge, refusal.Reason);
    }

    [Fact]
    public async Task A_deadline_ends_a_call_as_a_timeout()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);

        var options = alice.Options.WithDeadline(DateTime.UnixEpoch);

        Assert.Equal(Reason.Timeout, await Refused.ReasonAsync(async () => await alice.Accounts.GetEntitlementAsync(new(), options)));
    }

    /// <summary>A document of the device's that the server may serve to everybody with a grant.</summary>
    internal static DocumentBuilder SharedDocument(TestDevice owner, TestServer server)
    {
        var document = new DocumentBuilder(SystemEntropy.Instance, owner.Key);
        document.NextGrant(owner.Key, server.Peer, Permission.Sync);
        return document;
    }

    internal static V1.PushRequest Request(DocId document, params IEnumerable<Envelope>[] bundles) => new()
    {
        Document = document.ToWire(),
        Bundles = { bundles.Select(bundle => new V1.Bundle { Envelopes = { bundle.Select(envelope => envelope.Bytes.ToWire()) } }) },
    };

    internal static Task<List<Receipt>> PushAsync(TestDevice device, DocId document, IEnumerable<Envelope> envelopes) =>
        PushAsync(device.Sync, device, document, envelopes);

    private static async Task<List<Receipt>> PushAsync(V1.Sync.SyncClient client, TestDevice device, DocId document, IEnumerable<Envelope> envelopes)
    {
        var response = await client.PushAsync(Request(document, envelopes), device.Options);
        var result = Assert.Single(response.Results);
        Assert.Null(result.Refusal);
        return [.. result.Receipts.Select(WireLog.Read)];
    }

    private static Task<(List<V1.Entry> Entries, LogHead Head)> PullAsync(TestDevice device, DocId document, ulong from, bool omitOwn = false) =>
        PullAsync(device.Sync, device, document, from, omitOwn);

    private static async Task<(List<V1.Entry> Entries, LogHead Head)> PullAsync(
        V1.Sync.SyncClient client, TestDevice device, DocId document, ulong from, bool omitOwn)
    {
        using var call = client.Pull(new() { Document = document.ToWire(), From = from, OmitOwn = omitOwn }, device.Options);
        var entries = new List<V1.Entry>();
        LogHead? head = null;
        while (await call.ResponseStream.MoveNext(Cancel))
        {
            Assert.Null(head);
            var message = call.ResponseStream.Current;
            if (message.CaughtUp is not null) head = WireLog.Read(message.CaughtUp);
            else
            {
                Assert.Equal(from + (ulong)entries.Count, message.Entries.FirstIndex);
                entries.AddRange(message.Entries.Entries_);
            }
        }

        return (entries, head ?? throw new InvalidOperationException("the pull ended without a head"));
    }

    private static EnvelopeId Identify(V1.Entry entry)
    {
        if (entry.ContentCase is V1.Entry.ContentOneofCase.Id) return Id.From<EnvelopeId>(entry.Id.Span);
        Assert.True(Envelope.TryDecode(entry.Envelope.Memory, out var envelope, out _));
        return envelope.Id;
    }

    private static bool SameReceipt(Receipt left, Receipt right) => left.ToWire().Equals(right.ToWire());
}
