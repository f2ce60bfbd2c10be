using CloudPeer.Api.Hosting;
using CloudPeer.Api.Relay;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>Connections whose other end is silent, slow or gone (docs/operations/limits.md).</summary>
public sealed class ConnectionTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_at_whose_end_is_nobody_is_closed_and_gives_back_its_streams()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        server.KeepAlive = TimeSpan.FromSeconds(1);
        await server.RestartAsync();
        using var alice = await TestDevice.ConnectAsync(server);
        await using var link = new TcpLink(server.GrpcUrl);
        using var channel = GrpcChannel.ForAddress(link.Url);
        for (var i = 0; i < ServerLimits.StreamsPerDevice; i++)
        {
            var call = new V1.Sync.SyncClient(channel).Stream(alice.Options);
            await call.RequestStream.WriteAsync(new() { Request = 1 }, Cancel);
            Assert.True(await call.ResponseStream.MoveNext(Cancel));
        }

        link.Cut();
        await link.ClosedByServer;

        // The places are free once the server has ended the streams that were on it.
        Reason? refused;
        do
        {
            await using var stream = new StreamClient(alice);
            refused = await OpenAsync(stream);
            Assert.True(refused is null or Reason.RateLimited);
        }
        while (refused is not null);
    }

    [Fact]
    public async Task A_connection_that_is_silent_but_alive_is_kept()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        server.KeepAlive = TimeSpan.FromSeconds(1);
        await server.RestartAsync();
        using var alice = await TestDevice.ConnectAsync(server);
        await using var alive = new StreamClient(alice);
        Assert.Null(await OpenAsync(alive));
        await using var link = new TcpLink(server.GrpcUrl);
        using var channel = GrpcChannel.ForAddress(link.Url);
        using var silent = new V1.Sync.SyncClient(channel).Stream(alice.Options);
        await silent.RequestStream.WriteAsync(new() { Request = 1 }, Cancel);
        Assert.True(await silent.ResponseStream.MoveNext(Cancel));

        // While the dead one is given up, the living one is asked too, and answers.
        link.Cut();
        await link.ClosedByServer;

        Assert.Null(await OpenAsync(alive));
    }

    [Theory, BothStores]
    public async Task A_reader_that_does_not_read_is_given_little_and_holds_up_nobody(StoreKind store)
    {
        const int envelopes = 60;
        StoreProxy? reads = null;
        await using var server = await TestServer.StartAsync(store, postgres);
        server.Store = inner =>
        {
            (var counted, reads) = StoreProxy.Around(inner);
            return counted;
        };
        await server.RestartAsync();
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var large = SyncTests.SharedDocument(alice, server);
        large.NextGrant(alice.Key, bob.Peer, Permission.Read);
        for (var i = 0; i < envelopes; i++) large.NextDelta(alice.Key, 60_000);
        foreach (var some in large.Envelopes.Chunk(30)) await SyncTests.PushAsync(alice, large.Id, some);
        var before = reads!.Calls(nameof(IRelayStore.ReadAsync));
        await using var slow = new StreamClient(bob);

        await slow.SubscribeAsync(1, large.Id, 0);
        // A page of the large document is at the reader, so the server is at it; meanwhile others push, and one reads to the end.
        var got = (await slow.NextAsync()).Entries.Entries_.Count;
        var other = SyncTests.SharedDocument(alice, server);
        for (var i = 0; i < 20; i++) await SyncTests.PushAsync(alice, other.Id, i == 0 ? other.Envelopes : [other.NextDelta(alice.Key)]);
        await using var reader = new StreamClient(alice);
        await reader.SubscribeAsync(1, other.Id, 2);
        while ((await reader.NextAsync()).CaughtUp is null)
        {
        }

        Assert.InRange(reads.Calls(nameof(IRelayStore.ReadAsync)) - before, 1, envelopes / 2);
        while (await slow.NextAsync() is { CaughtUp: null } frame) got += frame.Entries.Entries_.Count;
        Assert.Equal(large.Envelopes.Count, got);
    }

    [Fact]
    public async Task A_writer_of_half_a_frame_holds_up_nobody_and_its_own_stream_only()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);
        await using var half = await raw.BeginAsync("/cloudpeer.v1.Sync/Stream", RawCall.Frame(new byte[1_000], declared: ServerLimits.FrameBytes));

        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        for (var i = 1; i < ServerLimits.StreamsPerDevice; i++)
        {
            await using var stream = new StreamClient(alice);
            Assert.Null(await OpenAsync(stream));
        }
    }

    [Theory]
    [InlineData(ServerLimits.PushesPerStream, 0)]
    [InlineData(ServerLimits.PushesPerStream / 2, ServerLimits.PushSlotBytes)]
    [InlineData(1, ServerLimits.FrameBytes)]
    public async Task Pushes_of_a_stream_under_way_are_so_many_and_the_next_frame_waits(int pushes, int bytes)
    {
        using var lanes = new PushLanes();
        var gate = new TaskCompletionSource();
        for (var i = 0; i < pushes; i++) await lanes.RunAsync(Document(i % 2), bytes, _ => Queued(Task.CompletedTask, gate.Task), Cancel);

        var next = lanes.RunAsync(Document(100), 0, _ => Queued(Task.CompletedTask, Task.CompletedTask), Cancel);
        Assert.False(next.IsCompleted);
        gate.SetResult();
        await next;
        await lanes.DrainAsync();
    }

    [Fact]
    public async Task Pushes_of_one_document_are_queued_in_order_and_wait_for_no_device_to_read_its_answers()
    {
        using var lanes = new PushLanes();
        var (queueing, decision, answer) = (new TaskCompletionSource<QueuedPush>(), new TaskCompletionSource(), new TaskCompletionSource());
        var (second, other) = (new TaskCompletionSource<Task>(), new TaskCompletionSource<Task>());
        await lanes.RunAsync(Document(0), 0, _ => queueing.Task, Cancel);
        await lanes.RunAsync(Document(0), 0, earlier => Note(second, earlier), Cancel);
        await lanes.RunAsync(Document(1), 0, earlier => Note(other, earlier), Cancel);

        Assert.True((await other.Task).IsCompleted);
        Assert.False(second.Task.IsCompleted);
        queueing.SetResult(new(decision.Task, answer.Task));
        var before = await second.Task;
        var drained = lanes.DrainAsync();
        Assert.False(before.IsCompleted);
        decision.SetException(new OperationCanceledException());
        await before;
        Assert.False(drained.IsCompleted);
        answer.SetResult();
        await drained;

        static Task<QueuedPush> Note(TaskCompletionSource<Task> queued, Task earlier)
        {
            queued.SetResult(earlier);
            return Queued(Task.CompletedTask, Task.CompletedTask);
        }
    }

    private static Task<QueuedPush> Queued(Task decided, Task answered) => Task.FromResult(new QueuedPush(decided, answered));

    [Fact]
    public async Task Kestrel_and_the_host_are_told_every_limit()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("MAX_CONNECTIONS", "77"));
        var limits = server.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        var checks = server.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;

        Assert.Equal(77, limits.MaxConcurrentConnections);
        Assert.Equal(ServerLimits.RequestBytes, limits.MaxRequestBodySize);
        foreach (var rate in new[] { limits.MinRequestBodyDataRate, limits.MinResponseDataRate })
            Assert.Equal((ServerLimits.LeastBytesPerSecond, ServerLimits.SlowFor), (rate!.BytesPerSecond, rate.GracePeriod));
        Assert.Equal(ServerLimits.RequestHeaders, limits.RequestHeadersTimeout);
        Assert.Equal(ServerLimits.IdleConnection, limits.KeepAliveTimeout);
        Assert.Equal(ServerLimits.CallsPerConnection, limits.Http2.MaxStreamsPerConnection);
        Assert.Equal((ServerLimits.PingDelay, ServerLimits.PingTimeout), (limits.Http2.KeepAlivePingDelay, limits.Http2.KeepAlivePingTimeout));
        Assert.Equal(ServerLimits.Shutdown, server.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        Assert.All(checks, check => Assert.Equal(ServerLimits.HealthCheck, check.Timeout));
    }

    private static DocId Document(int number) => new(new Bytes32([(byte)number, .. new byte[31]]));

    private static async Task<Reason?> OpenAsync(StreamClient stream)
    {
        try
        {
            await stream.SendAsync(new() { Request = 1 });
            await stream.NextAsync();
            return null;
        }
        catch (RpcException refused)
        {
            return Sync.Wire.Refusals.FromRpc(refused).Reason;
        }
    }
}
