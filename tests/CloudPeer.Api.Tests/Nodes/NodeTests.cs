using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Durability;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Nodes;

/// <summary>Two processes over one PostgreSQL are one server to their clients.</summary>
public sealed class NodeTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_subscriber_of_one_node_hears_of_pushes_and_revocations_on_the_other_also_after_its_listener_was_cut()
    {
        await using var nodes = await TwoNodes.StartAsync(postgres);
        var (owner, reader) = (nodes.Device(), nodes.Device());
        var document = await nodes.HostAsync(owner, reader.Public);
        var writing = nodes.Connect(nodes.First, owner);
        await using var stream = await nodes.Connect(nodes.Second, reader).StreamAsync(Cancel);
        await using var events = stream.Events.GetAsyncEnumerator(Cancel);
        await stream.SubscribeAsync(document.Id, 0, omitOwn: false, Cancel);
        await ReadAsync(events, document.Envelopes.Count);

        await PushAsync(writing, document, document.NextDelta(owner));
        await ReadAsync(events, document.Envelopes.Count);
        Assert.Equal(2, await nodes.CutListenersAsync());
        await PushAsync(writing, document, document.NextDelta(owner));
        await ReadAsync(events, document.Envelopes.Count);
        await PushAsync(writing, document, document.NextRevoke(owner, reader.Public));

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(Reason.NotFound, events.Current.Refusal?.Reason);
        nodes.First.AssertNoErrors();
        nodes.Second.AssertNoErrors();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_is_killed_under_load_loses_and_doubles_nothing_for_writers_and_followers_that_go_to_the_other_one(bool second)
    {
        await using var nodes = await TwoNodes.StartAsync(postgres);
        var (killed, other) = second ? (nodes.Second, nodes.First) : (nodes.First, nodes.Second);
        using var load = new Load(3, nodes.First.Peer, documents: 4, writersPerDocument: 4);
        await load.HostAsync(nodes.First);
        load.Prepare(40);
        var following = await load.FollowAsync(killed, other);

        await load.FinishAsync([nodes.First, nodes.Second], 40, after: 200, killed.Kill9Async);

        Assert.Equal(4 * 4 * 40, load.Receipts);
        await following;
        await load.CheckAsync(other, fromTheStart: true);
        await killed.RestartAsync();
        load.Prepare(10);
        await load.FinishAsync([nodes.First, nodes.Second], 10);
        await load.CheckAsync(nodes.First, fromTheStart: true);
        await load.CheckAsync(nodes.Second, fromTheStart: true);
        other.AssertNoErrors();
    }

    [Fact]
    public async Task All_followers_of_a_node_that_is_killed_come_to_the_other_one_at_once_and_none_is_left_behind()
    {
        const int followers = 200;
        await using var nodes = await TwoNodes.StartAsync(postgres);
        var owner = nodes.Device();
        var devices = Enumerable.Range(0, followers).Select(_ => nodes.Device()).ToList();
        var document = await nodes.HostAsync(owner, devices.Select(device => device.Public));
        var size = document.Envelopes.Count + 1;
        var all = devices.Select(device => new LoadFollower(device, document.Id)).ToList();
        var ended = Task.WhenAll(all.Select(follower => Task.Run(() => follower.RunAsync(nodes.First.GrpcUrl, nodes.First.Peer, size, Cancel))));
        await Task.WhenAny(ended, Task.WhenAll(all.Select(follower => follower.Begun)));

        await nodes.First.Kill9Async();
        Assert.All(await ended, reason => Assert.NotNull(reason));
        var again = Task.WhenAll(all.Select(follower => Task.Run(() => follower.RunAsync(nodes.Second.GrpcUrl, nodes.Second.Peer, size, Cancel))));
        await PushAsync(nodes.Connect(nodes.Second, owner), document, document.NextDelta(owner));

        Assert.All(await again, reason => Assert.Null(reason));
        var log = document.Envelopes.Select(envelope => envelope.Id).ToList();
        Assert.All(all, follower => Assert.Equal(log, follower.Held));
        nodes.Second.AssertNoErrors();
    }

    [Fact]
    public async Task A_node_that_stops_tells_its_streams_when_to_come_back_each_at_another_time_and_ends_in_time_whoever_does_not_read()
    {
        const int streams = 8;
        await using var nodes = await TwoNodes.StartAsync(postgres);
        var owner = nodes.Device();
        var document = await nodes.HostAsync(owner);
        var connection = nodes.Connect(nodes.First, owner);
        // More than the windows of HTTP/2 and the socket hold, and nobody reads it.
        for (var i = 0; i < 8; i++) await PushAsync(connection, document, [.. Enumerable.Range(0, 16).Select(_ => document.NextDelta(owner, 65_000))]);
        await using var unread = connection.PullAsync(document.Id, new(0), Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await unread.MoveNextAsync());
        var endings = new List<Task<TlfsException>>();
        for (var i = 0; i < streams; i++) endings.Add(await FollowAsync(nodes.Connect(nodes.First, owner), document));

        await nodes.First.StopAsync();

        var hints = new List<TimeSpan>();
        foreach (var ending in await Task.WhenAll(endings))
        {
            // The connection closes right after the trailers; on a busy machine it may overtake them. Both mean: come back.
            Assert.Contains(ending.Reason, (Reason[])[Reason.Unavailable, Reason.Unreachable]);
            if (ending.Reason is Reason.Unavailable) hints.Add(ending.RetryAfter!.Value);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{hints.Count} of {streams} streams were told when to come back");
        Assert.NotEmpty(hints);
        Assert.All(hints, hint => Assert.InRange(hint, RetrySpread.Least, RetrySpread.Most));

        // Two of thousands of moments may be the same one.
        Assert.True(hints.Count < 3 || hints.Distinct().Count() > 1, "all are to come back at one moment");
        await PushAsync(nodes.Connect(nodes.Second, owner), document, document.NextDelta(owner));
        nodes.First.AssertNoErrors();
    }

    // Subscribes and returns what will end the stream.
    private static async Task<Task<TlfsException>> FollowAsync(CloudpeerConnection connection, DocumentBuilder document)
    {
        var stream = await connection.StreamAsync(Cancel);
        await stream.SubscribeAsync(document.Id, (ulong)document.Envelopes.Count, omitOwn: true, Cancel);
        var events = stream.Events.GetAsyncEnumerator(Cancel);
        Assert.True(await events.MoveNextAsync());
        return Task.Run(async () =>
        {
            await using var ended = stream;
            await using var rest = events;
            return await Assert.ThrowsAsync<TlfsException>(async () => await rest.MoveNextAsync());
        });
    }

    private static async Task PushAsync(CloudpeerConnection connection, DocumentBuilder document, params Envelope[] bundle) =>
        Assert.Null(Assert.Single(await connection.PushAsync(document.Id, [bundle], Cancel)).Refusal);

    // Reads up to the head of a size.
    private static async Task ReadAsync(IAsyncEnumerator<StreamEvent> events, int size)
    {
        do Assert.True(await events.MoveNextAsync());
        while (events.Current.Page?.Head?.Size != (ulong)size);
    }
}
