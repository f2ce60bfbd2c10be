using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>Withheld parts on the wire, with the client at the other end (docs/protocol/sync.md §3.1).</summary>
public sealed class ZoneSyncTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task A_member_of_a_zone_pulls_and_follows_all_headers_and_the_parts_of_its_zone(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var (document, zone) = await SharedAsync(alice, bob, server);
        await using var connection = Connect(bob, server);

        var pulled = await PullAsync(connection, document, new(0));
        AssertSame(document.Envelopes.Select(envelope => envelope.Without(part => part.Zone != zone)), pulled);

        await using var live = await connection.StreamAsync(Cancel);
        await live.SubscribeAsync(document.Id, 0, omitOwn: false, Cancel);
        var followed = new List<PulledEntry>();
        await foreach (var change in live.Events.WithCancellation(Cancel))
        {
            Assert.Null(change.Refusal);
            followed.AddRange(change.Page!.Entries);
            if (change.Page.Head is not null) break;
        }

        AssertSame(pulled.Select(entry => entry.Envelope!), followed);
    }

    [Theory, BothStores]
    public async Task A_pull_may_end_early_and_leave_out_all_parts(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var (document, _) = await SharedAsync(alice, bob, server);
        await using var connection = Connect(alice, server);

        AssertSame(document.Envelopes, await PullAsync(connection, document, new(0)));
        AssertSame(document.Envelopes.Skip(2).Take(3), await PullAsync(connection, document, new(2) { Until = 5 }));
        AssertSame(document.Envelopes.Select(envelope => envelope.Without(_ => true)), await PullAsync(connection, document, new(0) { HeadersOnly = true }));
    }

    [Fact]
    public async Task A_subscription_has_no_end()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var (document, _) = await SharedAsync(alice, bob, server);
        await using var stream = new StreamClient(alice);
        await stream.SendAsync(new() { Request = 3, Subscribe = new() { Document = CloudPeer.Sync.Wire.WireIds.ToWire(document.Id), Until = 2 } });
        var refused = await stream.NextAsync();
        Assert.Equal((3UL, Reason.BadArgument), (refused.Request, CloudPeer.Sync.Wire.WireRefusal.Read(refused.Refused).Reason));
    }

    private static CloudpeerConnection Connect(TestDevice device, TestServer server) =>
        new(server.GrpcUrl, server.Peer, device.Key, SystemEntropy.Instance, server.Clock);

    private static async Task<(DocumentBuilder Document, ZoneId Zone)> SharedAsync(TestDevice alice, TestDevice bob, TestServer server)
    {
        var document = SyncTests.SharedDocument(alice, server);
        var zone = document.NextZone(alice.Key).Id.Zone;
        document.NextGrant(alice.Key, bob.Peer, Permission.Read, zone);
        document.NextParts(alice.Key, ZoneId.Root, zone);
        document.NextParts(alice.Key, ZoneId.Root);
        document.NextParts(alice.Key, zone);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        return (document, zone);
    }

    private static async Task<List<PulledEntry>> PullAsync(CloudpeerConnection connection, DocumentBuilder document, PullOptions wanted)
    {
        var entries = new List<PulledEntry>();
        await foreach (var page in connection.PullAsync(document.Id, wanted, Cancel)) entries.AddRange(page.Entries);
        return entries;
    }

    private static void AssertSame(IEnumerable<Envelope> expected, IReadOnlyList<PulledEntry> entries)
    {
        var envelopes = expected.ToList();
        Assert.Equal(envelopes.Select(envelope => (envelope.Id, envelope.Present)), entries.Select(entry => (entry.Id, entry.Envelope!.Present)));
        Assert.All(envelopes.Zip(entries), pair => Assert.Equal(pair.First.Bytes.ToArray(), pair.Second.Envelope!.Bytes.ToArray()));
    }
}
