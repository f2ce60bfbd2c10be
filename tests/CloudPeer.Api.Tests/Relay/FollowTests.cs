using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>How a client without bidirectional streams follows a document (docs/protocol/sync.md §3.6).</summary>
public sealed class FollowTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task A_pull_that_follows_goes_on_with_what_comes_until_the_right_ends(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        document.NextGrant(alice.Key, bob.Peer, Permission.Read);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        using var http = new HttpClientHandler();
        using var web = new GrpcWebHandler(GrpcWebMode.GrpcWeb, http);
        using var channel = GrpcChannel.ForAddress(server.HttpUrl, new() { HttpHandler = web, HttpVersion = new(1, 1) });

        using var call = new V1.Sync.SyncClient(channel).Pull(Request(document.Id, 1), bob.Options);
        var there = await NextAsync(call);
        var head = await NextAsync(call);
        var first = document.NextDelta(alice.Key);
        await SyncTests.PushAsync(alice, document.Id, [first]);
        var came = await NextAsync(call);
        var grown = await NextAsync(call);
        await SyncTests.PushAsync(alice, document.Id, [document.NextRevoke(alice.Key, bob.Peer)]);

        Assert.Equal((1UL, 2), (there.Entries.FirstIndex, there.Entries.Entries_.Count));
        Assert.Equal(3UL, head.CaughtUp.Size);
        Assert.Equal(3UL, came.Entries.FirstIndex);
        Assert.Equal(first.Bytes.ToArray(), Assert.Single(came.Entries.Entries_).Envelope.ToByteArray());
        Assert.Equal(4UL, grown.CaughtUp.Size);
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(() => NextAsync(call)));
    }

    [Fact]
    public async Task What_follows_has_no_end_and_counts_as_a_stream_until_it_is_left()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        var open = new List<AsyncServerStreamingCall<V1.PullResponse>>();
        for (var i = 0; i < ServerLimits.StreamsPerDevice; i++)
        {
            open.Add(alice.Sync.Pull(Request(document.Id, 2), alice.Options));
            Assert.NotNull((await NextAsync(open[i])).CaughtUp);
        }

        using var tooMany = alice.Sync.Pull(Request(document.Id, 2), alice.Options);
        using var bounded = alice.Sync.Pull(new(Request(document.Id, 0)) { Until = 1 }, alice.Options);

        Assert.Equal(Reason.RateLimited, await Refused.ReasonAsync(() => NextAsync(tooMany)));
        Assert.Equal(Reason.BadArgument, await Refused.ReasonAsync(() => NextAsync(bounded)));
        open.ForEach(call => call.Dispose());
        await FollowAgainAsync(alice, document.Id);
    }

    [Fact]
    public async Task A_stopping_server_tells_who_follows_to_come_back()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        var open = new List<AsyncServerStreamingCall<V1.PullResponse>>();
        var waiting = new List<Task<Refusal>>();
        for (var i = 0; i < ServerLimits.StreamsPerDevice; i++)
        {
            var call = alice.Sync.Pull(Request(document.Id, 2), alice.Options);
            open.Add(call);
            Assert.NotNull((await NextAsync(call)).CaughtUp);
            waiting.Add(Refused.RefusalAsync(() => NextAsync(call)));
        }

        await server.StopHostAsync();
        Refused.AssertToldToComeBack(await Task.WhenAll(waiting));
        open.ForEach(call => call.Dispose());
    }

    // The places of calls that were left are free as soon as the server has noticed.
    private static async Task FollowAgainAsync(TestDevice device, DocId document)
    {
        while (true)
        {
            using var call = device.Sync.Pull(Request(document, 2), device.Options);
            try
            {
                Assert.NotNull((await NextAsync(call)).CaughtUp);
                return;
            }
            catch (RpcException failure) when (Refusals.FromRpc(failure).Reason is Reason.RateLimited)
            {
                await Task.Yield();
            }
        }
    }

    private static V1.PullRequest Request(DocId document, ulong from) => new() { Document = document.ToWire(), From = from, Follow = true };

    private static async Task<V1.PullResponse> NextAsync(AsyncServerStreamingCall<V1.PullResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(Cancel), "the server ended the pull");
        return call.ResponseStream.Current;
    }
}
