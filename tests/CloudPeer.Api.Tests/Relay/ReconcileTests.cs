using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>Reconciliation, proven heads and acknowledgements over the wire (docs/protocol/sync.md §7, §8, log.md §3.4).</summary>
public sealed class ReconcileTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task What_each_side_lacks_is_learnt_from_any_sets(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        await using var connection = Connect(server, alice);
        var document = await HostedAsync(server, alice, 700);
        EnvelopeId[] there = [.. document.Envelopes.Select(envelope => envelope.Id)];
        var entropy = new SeededEntropy(store == StoreKind.Sqlite ? 1UL : 2UL);
        for (var round = 0; round < 12; round++)
        {
            var missing = round switch { 0 => 0, 1 => 256, _ => entropy.Bytes(1)[0] };
            EnvelopeId[] only = [.. Enumerable.Range(0, entropy.Bytes(1)[0] % 40).Select(_ => new EnvelopeId(new(entropy.Bytes(32))))];
            EnvelopeId[] own = [.. there.Where(_ => entropy.Bytes(1)[0] >= missing), .. only];
            var difference = await connection.ReconcileAsync(document.Id, own, Cancel);
            Assert.Equal(there.Except(own).Order(), difference.OnlyThere.Order());
            Assert.Equal(only.Order(), difference.OnlyHere.Order());
            Assert.Equal((ulong)there.Length, difference.Size);
        }
    }

    [Theory, BothStores]
    public async Task A_head_is_proven_from_an_earlier_size_also_after_a_restart(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = await HostedAsync(server, alice, 600);
        var roots = new List<Bytes32> { MerkleTree.EmptyRoot };
        var range = CompactRange.Empty;
        foreach (var envelope in document.Envelopes)
        {
            range = range.Append(envelope.Id);
            roots.Add(range.Root);
        }

        for (var restarted = false; ; restarted = true)
        {
            await using var connection = Connect(server, alice);
            foreach (var size in new[] { 1, 2, 255, 256, 300, 511, 512, 513, 600 })
            {
                var proven = await connection.GetHeadAsync(document.Id, (ulong)size, Cancel);
                Assert.True(proven.Verify(document.Id, server.Peer, (ulong)size, roots[size]), $"from {size}");
                Assert.False(proven.Verify(document.Id, server.Peer, (ulong)size, roots[size - 1]));
            }

            Assert.Empty((await connection.GetHeadAsync(document.Id, 0, Cancel)).Proof);
            if (restarted) return;
            await server.RestartAsync();
        }
    }

    [Theory, BothStores]
    public async Task Acknowledgements_of_calls_and_streams_are_seen_by_the_others_and_survive_a_restart(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = await HostedAsync(server, alice, 10, bob);
        await using (var connection = Connect(server, bob))
        {
            await connection.AckAsync(document.Id, 4, Cancel);
            Assert.Equal((bob.Peer, 4UL), await DeliveredAsync());

            // Frames are taken one after the other: when what comes after one is answered, it has been taken.
            await using var stream = await connection.StreamAsync(Cancel);
            await stream.AckAsync(document.Id, 7, Cancel);
            await stream.SubscribeAsync(document.Id, 10, omitOwn: true, Cancel);
            await using var events = stream.Events.GetAsyncEnumerator(Cancel);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal((bob.Peer, 7UL), await DeliveredAsync());

            // A refused frame is answered, so all before it have been taken.
            await using var raw = new StreamClient(bob);
            await raw.SendAsync(new() { Request = 1, Ack = new() { Document = document.Id.ToWire(), Size = 8 } });
            await raw.SendAsync(new() { Request = 2, Ack = new() { Document = document.Id.ToWire(), Size = 999 } });
            var refused = await raw.NextAsync();
            Assert.Equal((2UL, "BAD_ARGUMENT"), (refused.Request, refused.Refused.Reason));
        }

        for (var restarted = false; ; restarted = true)
        {
            Assert.Equal((bob.Peer, 8UL), await DeliveredAsync());
            if (restarted) return;
            await server.RestartAsync();
        }

        async Task<(PeerId Device, ulong Size)> DeliveredAsync()
        {
            var delivered = await alice.Sync.GetDeliveredAsync(new() { Document = document.Id.ToWire() }, alice.Options);
            var device = Assert.Single(delivered.Devices);
            return (WireIds.Read<PeerId>(device.Peer, "peer"), device.Size);
        }
    }

    [Theory, BothStores]
    public async Task Strangers_learn_nothing_and_wrong_requests_are_refused(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var stranger = await TestDevice.ConnectAsync(server);
        var document = (await HostedAsync(server, alice, 5)).Id.ToWire();
        foreach (var target in new[] { document, stranger.Peer.ToWire() })
        {
            Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await stranger.Sync.GetHeadAsync(new() { Document = target, FromSize = 1 }, stranger.Options)));
            Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await stranger.Sync.ReconcileAsync(new() { Document = target }, stranger.Options)));
            Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await stranger.Sync.AckAsync(new() { Document = target }, stranger.Options)));
            Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await stranger.Sync.GetDeliveredAsync(new() { Document = target }, stranger.Options)));
        }

        async Task<Reason> AskAsync(ByteString hello, ByteString ask) =>
            await Refused.ReasonAsync(async () => await alice.Sync.ReconcileAsync(new() { Document = document, Hello = hello, Ask = ask }, alice.Options));
        var most = ByteString.CopyFrom(new byte[64 << 10]);
        var tooMuch = ByteString.CopyFrom(new byte[(64 << 10) + 1]);
        Assert.Equal(Reason.Malformed, await AskAsync(most, ByteString.Empty));
        Assert.Equal(Reason.TooLarge, await AskAsync(tooMuch, ByteString.Empty));
        Assert.Equal(Reason.TooLarge, await AskAsync(most, tooMuch));
        Assert.Equal(Reason.Malformed, await AskAsync(ByteString.Empty, ByteString.Empty));
    }

    [Fact]
    public async Task What_a_reconciliation_costs_counts_like_calls()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("CALLS_PER_SECOND", "20"));
        using var alice = await TestDevice.RegisterAsync(server);
        var document = await HostedAsync(server, alice, 5);
        var calls = 0;
        var refused = await Refused.RefusalAsync(async () =>
        {
            for (; calls < 100; calls++)
            {
                try
                {
                    await alice.Sync.ReconcileAsync(new() { Document = document.Id.ToWire(), Ask = ByteString.CopyFrom(new byte[1_280]) }, alice.Options);
                }
                catch (Grpc.Core.RpcException e) when (Refusals.FromRpc(e).Reason == Reason.Malformed)
                {
                    // Refused for what it is, and counted all the same.
                }
            }
        });
        Assert.Equal(Reason.RateLimited, refused.Reason);
        Assert.InRange(calls, 5, 20);
    }

    private static CloudpeerConnection Connect(TestServer server, TestDevice device) => new(server.GrpcUrl, server.Peer, device.Key, SystemEntropy.Instance, server.Clock);

    private static async Task<DocumentBuilder> HostedAsync(TestServer server, TestDevice owner, int size, TestDevice? reader = null)
    {
        var document = SyncTests.SharedDocument(owner, server);
        if (reader is not null) document.NextGrant(owner.Key, reader.Peer, Permission.Read);
        while (document.Envelopes.Count < size) document.NextDelta(owner.Key);
        foreach (var some in document.Envelopes.Chunk(500)) await SyncTests.PushAsync(owner, document.Id, some);
        return document;
    }
}
