using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Extensions.DependencyInjection;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

public sealed class StreamTests(PostgresFixture postgres)
{
    [Theory, BothStores]
    public async Task A_subscriber_gets_what_was_there_and_what_comes(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        document.NextGrant(alice.Key, bob.Peer, Permission.Read);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await using var reader = new StreamClient(bob);
        await using var writer = new StreamClient(alice);

        await reader.SubscribeAsync(7, document.Id, 1);
        var first = await reader.NextAsync();
        var caughtUp = await reader.NextAsync();
        var delta = document.NextDelta(alice.Key);
        await writer.SendAsync(new() { Request = 9, Push = SyncTests.Request(document.Id, [delta]) });
        var pushed = await writer.NextAsync();
        var arrived = await reader.NextAsync();
        var again = await reader.NextAsync();

        Assert.Equal((7UL, 1UL, 2), (first.Request, first.Entries.FirstIndex, first.Entries.Entries_.Count));
        Assert.Equal(3UL, caughtUp.CaughtUp.Size);
        Assert.Equal((9UL, 1), (pushed.Request, pushed.Pushed.Results.Count));
        Assert.True(WireLog.Read(pushed.Pushed.Results[0].Receipts[0]).Verify());
        Assert.Equal(delta.Bytes.ToArray(), arrived.Entries.Entries_[0].Envelope.ToByteArray());
        Assert.True(WireLog.Read(again.CaughtUp).Verify());
        Assert.Empty(await writer.CompleteAsync());
        Assert.Empty(await reader.CompleteAsync());
    }

    [Theory, BothStores]
    public async Task A_subscription_ends_with_not_found_when_the_right_ends(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        document.NextGrant(alice.Key, bob.Peer, Permission.Read);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await using var reader = new StreamClient(bob);
        await reader.SubscribeAsync(7, document.Id, 3);
        Assert.NotNull((await reader.NextAsync()).CaughtUp);

        await SyncTests.PushAsync(alice, document.Id, [document.NextRevoke(alice.Key, bob.Peer)]);

        var last = await reader.NextAsync();
        Assert.Equal((7UL, "NOT_FOUND"), (last.Request, last.Refused.Reason));
    }

    [Fact]
    public async Task An_ended_subscription_is_silent_and_may_begin_anew()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await using var stream = new StreamClient(alice);
        await stream.SubscribeAsync(1, document.Id, 2);
        Assert.NotNull((await stream.NextAsync()).CaughtUp);

        await stream.SendAsync(new() { Request = 2, Unsubscribe = document.Id.ToWire() });
        var ended = await stream.NextAsync();
        await SyncTests.PushAsync(alice, document.Id, [document.NextDelta(alice.Key)]);
        await stream.SubscribeAsync(3, document.Id, 2);
        var anew = await stream.NextAsync();

        Assert.Equal((2UL, document.Id.ToWire()), (ended.Request, ended.Unsubscribed));
        Assert.Equal((3UL, 2UL), (anew.Request, anew.Entries.FirstIndex));
    }

    [Fact]
    public async Task Pushes_of_several_documents_on_one_stream_keep_each_documents_order()
    {
        const int documents = 40, pushes = 3;
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        DocumentBuilder[] all = [.. Enumerable.Range(0, documents).Select(_ => SyncTests.SharedDocument(alice, server))];
        await using var stream = new StreamClient(alice);
        var request = 0UL;
        for (var i = 0; i < pushes; i++)
        {
            foreach (var document in all)
            {
                var bundle = i == 0 ? document.Envelopes.ToList() : [document.NextDelta(alice.Key)];
                await stream.SendAsync(new() { Request = ++request, Push = SyncTests.Request(document.Id, bundle) });
            }
        }

        var answers = await stream.CompleteAsync();

        Assert.Equal(Enumerable.Range(1, documents * pushes).Select(number => (ulong)number), answers.Select(answer => answer.Request).Order());
        Assert.All(answers, answer => Assert.Null(answer.Pushed.Results[0].Refusal));
    }

    [Fact]
    public async Task A_wrong_frame_is_refused_with_its_number_and_the_stream_goes_on()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await using var stream = new StreamClient(alice);

        await stream.SendAsync(new() { Request = 1 });
        var empty = await stream.NextAsync();
        await stream.SendAsync(new() { Request = 2, Push = new() });
        var nameless = await stream.NextAsync();
        await stream.SubscribeAsync(3, document.Id, 2);
        Assert.NotNull((await stream.NextAsync()).CaughtUp);
        await stream.SubscribeAsync(4, document.Id, 2);
        var twice = await stream.NextAsync();

        Assert.Equal((1UL, "MALFORMED"), (empty.Request, empty.Refused.Reason));
        Assert.Equal((2UL, "MALFORMED"), (nameless.Request, nameless.Refused.Reason));
        Assert.Equal((4UL, "BAD_ARGUMENT"), (twice.Request, twice.Refused.Reason));
    }

    [Fact]
    public async Task A_push_with_a_wrong_app_is_refused_with_its_number_and_the_stream_goes_on()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        await using var stream = new StreamClient(alice);
        await stream.SubscribeAsync(1, document.Id, 2);
        Assert.NotNull((await stream.NextAsync()).CaughtUp);

        await stream.SendAsync(new() { Request = 2, Push = new(SyncTests.Request(document.Id, [document.Genesis])) { AppId = "a b" } });
        var refused = await stream.NextAsync();
        await SyncTests.PushAsync(alice, document.Id, [document.NextDelta(alice.Key)]);
        var came = await stream.NextAsync();

        Assert.Equal((2UL, "BAD_ARGUMENT"), (refused.Request, refused.Refused.Reason));
        Assert.Equal((1UL, 2UL), (came.Request, came.Entries.FirstIndex));
    }

    [Fact]
    public async Task What_fails_for_one_document_is_refused_there_and_logged_and_the_stream_goes_on()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        DocId damaged = default;
        server.Store = inner => Interception.Before(inner, (_, arguments, next) =>
            arguments is [DocId document, ..] && document == damaged ? throw new InvalidOperationException("a damaged row") : next());
        await server.RestartAsync();
        using var alice = await TestDevice.RegisterAsync(server);
        var (document, other) = (SyncTests.SharedDocument(alice, server), SyncTests.SharedDocument(alice, server));
        foreach (var each in new[] { document, other }) await SyncTests.PushAsync(alice, each.Id, each.Envelopes);
        await using var stream = new StreamClient(alice);
        await stream.SubscribeAsync(1, other.Id, 2);
        Assert.NotNull((await stream.NextAsync()).CaughtUp);
        damaged = document.Id;

        await stream.SubscribeAsync(2, document.Id, 0);
        var failed = await stream.NextAsync();
        await stream.SendAsync(new() { Request = 3, Ack = new() { Document = document.Id.ToWire(), Size = 3 } });
        var unacknowledged = await stream.NextAsync();
        await SyncTests.PushAsync(alice, other.Id, [other.NextDelta(alice.Key)]);
        var came = await stream.NextAsync();

        Assert.Equal((2UL, "INTERNAL"), (failed.Request, failed.Refused.Reason));
        Assert.Equal((3UL, "INTERNAL"), (unacknowledged.Request, unacknowledged.Refused.Reason));
        Assert.Equal((1UL, 2UL), (came.Request, came.Entries.FirstIndex));
        Assert.All(server.TakeErrors(), line => Assert.Contains("a damaged row", line, StringComparison.Ordinal));
    }

    [Theory, BothStores]
    public async Task Who_was_told_of_no_generation_is_given_no_page_of_a_log_that_begins_with_one(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        Func<Task>? between = null;
        server.Store = inner => Interception.Before(inner, (method, _, next) =>
            method is nameof(IRelayStore.ReadGenerationsAsync) && Interlocked.Exchange(ref between, null) is { } first ? AfterAsync((Task<IReadOnlyList<StoredGeneration>>)next()!, first) : next());
        await server.RestartAsync();
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        document.NextDelta(alice.Key);
        await using var stream = new StreamClient(alice);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);

        between = BeginAnewAsync;
        await stream.SubscribeAsync(1, document.Id, 1);
        var first = await stream.NextAsync();
        between = BeginAnewAsync;
        using var pull = alice.Sync.Pull(new() { Document = document.Id.ToWire(), From = 1 }, alice.Options);
        var pulled = await Refused.ReasonAsync(async () =>
        {
            while (await pull.ResponseStream.MoveNext(TestContext.Current.CancellationToken)) Assert.NotNull(pull.ResponseStream.Current.Generation);
        });
        await stream.SubscribeAsync(2, document.Id, 1);
        var told = await stream.NextAsync();

        Assert.Equal((1UL, "NOT_FOUND"), (first.Request, first.Refused?.Reason));
        Assert.Contains(pulled, (Reason[])[Reason.NotFound, Reason.Unavailable]);
        Assert.Equal(0UL, told.Generation.Size);

        async Task BeginAnewAsync()
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            var relay = server.Services.GetRequiredService<DocumentRelay>();
            Assert.True((await relay.DeleteAsync(alice.Peer, document.Id, TestContext.Current.CancellationToken)).Succeeded);
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            await SyncTests.PushAsync(alice, document.Id, [.. document.Envelopes.Take(2)]);
        }

        static async Task<IReadOnlyList<StoredGeneration>> AfterAsync(Task<IReadOnlyList<StoredGeneration>> read, Func<Task> then)
        {
            var found = await read;
            await then();
            return found;
        }
    }

    [Fact]
    public async Task A_stream_has_as_many_subscriptions_as_the_server_says_and_not_one_more()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        await using var stream = new StreamClient(alice);
        for (var i = 0; i <= ServerLimits.SubscriptionsPerStream; i++)
        {
            var document = new DocumentBuilder(SystemEntropy.Instance, alice.Key);
            await SyncTests.PushAsync(alice, document.Id, [document.Genesis]);
            await stream.SubscribeAsync((ulong)i, document.Id, 1);
            var answer = await stream.NextAsync();
            if (i < ServerLimits.SubscriptionsPerStream) Assert.NotNull(answer.CaughtUp);
            else Assert.Equal("TOO_LARGE", answer.Refused.Reason);
        }
    }

    [Fact]
    public async Task A_device_has_as_many_streams_as_it_may_and_gets_the_place_of_one_that_ended()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var open = new List<StreamClient>();
        for (var i = 0; i < ServerLimits.StreamsPerDevice; i++)
        {
            open.Add(new(alice));
            await open[i].SendAsync(new() { Request = 1 });
            await open[i].NextAsync();
        }

        await using var tooMany = new StreamClient(alice);
        Assert.Equal(Reason.RateLimited, await Refused.ReasonAsync(() => tooMany.NextAsync()));
        Assert.Empty(await open[0].CompleteAsync());
        await using var next = new StreamClient(alice);
        await next.SendAsync(new() { Request = 5 });
        Assert.Equal(5UL, (await next.NextAsync()).Request);
        foreach (var stream in open) await stream.DisposeAsync();
    }

    [Fact]
    public async Task A_stopping_server_tells_its_streams_to_come_back()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var open = new List<StreamClient>();
        var waiting = new List<Task<Refusal>>();
        for (var i = 0; i < ServerLimits.StreamsPerDevice; i++)
        {
            var stream = new StreamClient(alice);
            open.Add(stream);
            await stream.SendAsync(new() { Request = 1 });
            await stream.NextAsync();
            waiting.Add(Refused.RefusalAsync(() => stream.NextAsync()));
        }

        await server.StopHostAsync();
        Refused.AssertToldToComeBack(await Task.WhenAll(waiting));
        foreach (var stream in open) await stream.DisposeAsync();
    }

    [Fact]
    public async Task Too_many_frames_are_refused_one_by_one()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("CALLS_PER_SECOND", "1"));
        using var alice = await TestDevice.ConnectAsync(server);
        await using var stream = new StreamClient(alice);

        var reasons = new List<string>();
        for (var i = 0; i < 100 && !reasons.Contains("RATE_LIMITED"); i++)
        {
            await stream.SubscribeAsync((ulong)i, new DocId(alice.Peer.Value), 0);
            reasons.Add((await stream.NextAsync()).Refused.Reason);
        }

        Assert.Equal("RATE_LIMITED", reasons[^1]);
        Assert.Equal("NOT_FOUND", reasons[0]);
    }
}
