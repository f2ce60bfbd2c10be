using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A server that answers with nonsense, without end or not at all neither stops a client nor fills its memory.</summary>
public sealed class HostileServerTests
{
    // Only so that what waits for ever fails instead of hanging.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly DocId Document = new(new Bytes32([.. Enumerable.Repeat((byte)7, 32)]));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // As a server that says nothing.
    private static Task Hang(CancellationToken ended) => new TaskCompletionSource().Task.WaitAsync(ended);

    [Fact]
    public async Task A_stream_that_ends_with_details_that_cannot_be_read_ends_with_what_its_status_says()
    {
        await using var server = await FakeCloudpeer.StartAsync();
        server.Stream = (_, _, _) => throw new RpcException(new(StatusCode.Unavailable, "no"), new Metadata { { "grpc-status-details-bin", new byte[] { 0xff, 0xff, 0xff } } });
        await using var connection = server.Connect();
        await using var live = await connection.StreamAsync(Cancel);
        await using var events = live.Events.GetAsyncEnumerator(Cancel);
        var ended = await Assert.ThrowsAsync<TlfsException>(async () => await events.MoveNextAsync().AsTask().WaitAsync(Patience, Cancel));
        Assert.Equal(Reason.Unreachable, ended.Reason);
    }

    [Fact]
    public async Task A_stream_that_is_cancelled_ends_as_cancelled_and_not_as_if_the_server_were_gone()
    {
        await using var server = await FakeCloudpeer.StartAsync();
        server.Stream = (_, _, context) => Hang(context.CancellationToken);
        await using var connection = server.Connect();
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var live = await connection.StreamAsync(interrupted.Token);
        await using var events = live.Events.GetAsyncEnumerator(Cancel);
        var next = events.MoveNextAsync().AsTask();
        await interrupted.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience, Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => live.SubscribeAsync(Document, 0, omitOwn: false, Cancel));
    }

    [Fact]
    public async Task No_more_of_an_inbox_is_read_at_once_than_can_be_acknowledged()
    {
        await using var server = await FakeCloudpeer.StartAsync();
        server.Receive = async (writer, context) =>
        {
            // As long as somebody reads.
            while (!context.CancellationToken.IsCancellationRequested)
                await writer.WriteAsync(new() { Id = ByteString.CopyFrom(new byte[32]), Message = ByteString.CopyFrom(new byte[100]) }, context.CancellationToken);
        };
        await using var connection = server.Connect();
        Assert.Equal(220, (await connection.ReceiveAsync(Cancel)).Count);
    }

    [Fact]
    public async Task When_to_come_back_reaches_the_caller_of_a_push_that_a_stream_refuses()
    {
        await using var server = await FakeCloudpeer.StartAsync();
        server.Stream = async (reader, writer, context) =>
        {
            while (await reader.MoveNext(context.CancellationToken))
                await writer.WriteAsync(new() { Request = reader.Current.Request, Refused = new() { Reason = "RATE_LIMITED", RetryAfterMillis = 7_000 } }, context.CancellationToken);
        };
        await using var connection = server.Connect();
        await using var live = await connection.StreamAsync(Cancel);
        var refused = await Assert.ThrowsAsync<TlfsException>(() => live.PushAsync(Document, [], Cancel));
        Assert.Equal((Reason.RateLimited, TimeSpan.FromSeconds(7)), (refused.Reason, refused.RetryAfter));
    }

    [Fact]
    public async Task A_push_that_a_stream_does_not_answer_times_out()
    {
        var time = new FakeTimeProvider();
        var pushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await FakeCloudpeer.StartAsync();
        server.Stream = async (reader, _, context) =>
        {
            while (await reader.MoveNext(context.CancellationToken)) pushed.TrySetResult();
        };
        await using var connection = server.Connect(time);
        await using var live = await connection.StreamAsync(Cancel);
        var push = live.PushAsync(Document, [], Cancel);
        await pushed.Task.WaitAsync(Patience, Cancel);
        time.Advance(TimeSpan.FromMinutes(1));
        var late = await Assert.ThrowsAsync<TlfsException>(() => push.WaitAsync(Patience, Cancel));
        Assert.Equal(Reason.Timeout, late.Reason);
    }
}
