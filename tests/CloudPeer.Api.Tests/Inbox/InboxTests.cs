using CloudPeer.Api.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Inbox;

public sealed class InboxTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Messages_wait_in_order_through_a_restart_until_they_are_acknowledged(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);
        var sent = new List<MessageId>();
        for (var i = 0; i < InboxLimits.PerContact; i++) sent.Add(await InboxClient.SendAsync(alice, bob, i, token));

        await server.RestartAsync();
        var received = await InboxClient.ReceiveAsync(bob);
        var deleted = await InboxClient.AckAsync(bob, server, sent.Take(19));
        var left = await InboxClient.ReceiveAsync(bob);

        Assert.Equal(sent, received.Select(message => Id.From<MessageId>(message.Id.Span)));
        Assert.Equal(InboxClient.Message(bob.Card.Account, 7), received[7].Message.ToByteArray());
        Assert.Equal(TestServer.Start.ToMicros(), received[0].ReceivedMicros);
        Assert.Equal(19u, deleted);
        Assert.Equal([sent[19].ToWire()], left.Select(message => message.Id));
        Assert.Empty(await ReceiveOrEmptyAsync(alice));
    }

    [Theory, BothStores]
    public async Task The_same_message_twice_is_one_also_at_the_same_moment(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);

        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => InboxClient.SendAsync(alice, bob, 1)));

        Assert.Single(ids.Distinct());
        Assert.Single(await InboxClient.ReceiveAsync(bob));
    }

    [Theory, BothStores]
    public async Task A_message_expires_after_thirty_days_and_makes_room(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);
        for (var i = 0; i < InboxLimits.PerStranger; i++) await InboxClient.SendAsync(alice, bob, i);
        for (var i = 0; i < InboxLimits.PerContact; i++) await InboxClient.SendAsync(alice, bob, 100 + i, token);

        server.Clock.Advance(InboxLimits.Kept);
        await bob.OpenSessionAsync();
        await alice.OpenSessionAsync();
        Assert.Equal(InboxLimits.PerStranger + InboxLimits.PerContact, (await InboxClient.ReceiveAsync(bob)).Count);
        server.Clock.Advance(TimeSpan.FromMicroseconds(1));

        Assert.Empty(await InboxClient.ReceiveAsync(bob));
        MessageId[] again = [await InboxClient.SendAsync(alice, bob, 0), await InboxClient.SendAsync(alice, bob, 100, token)];
        Assert.Equal(again.Select(id => id.ToWire()), (await InboxClient.ReceiveAsync(bob)).Select(message => message.Id));
    }

    [Theory, BothStores]
    public async Task Only_a_signed_request_of_the_own_device_deletes(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);
        MessageId[] ids = [.. new[] { await InboxClient.SendAsync(alice, bob, 1), await InboxClient.SendAsync(alice, bob, 2) }.Order()];
        var good = InboxCalls.Ack(bob.Key, server.Peer, ids, bob.Now);
        (Reason Expected, V1.AckRequest Request)[] cases =
        [
            (Reason.BadProof, new() { Ids = { good.Ids }, Micros = good.Micros }),
            (Reason.BadProof, new(good) { Micros = good.Micros + 1 }),
            (Reason.BadProof, new(good) { Signature = carol.Key.Public.ToWire() }),
            (Reason.BadProof, InboxCalls.Ack(carol.Key, server.Peer, ids, bob.Now)),
            (Reason.BadProof, InboxCalls.Ack(bob.Key, bob.Peer, ids, bob.Now)),
            (Reason.BadProof, InboxCalls.Ack(bob.Key, server.Peer, ids, bob.Now + (ulong)SignedRequest.Tolerance.TotalMicroseconds + 1)),
            (Reason.Malformed, new(good) { Ids = { good.Ids[0] } }),
            (Reason.Malformed, new() { Ids = { ByteString.CopyFromUtf8("x") } }),
            (Reason.TooLarge, new() { Ids = { Enumerable.Repeat(good.Ids[0], InboxLimits.PerAck + 1) } }),
        ];

        foreach (var (expected, request) in cases)
            Assert.Equal(expected, await Refused.ReasonAsync(async () => await bob.Inbox.AckAsync(request, bob.Options)));
        Assert.Equal(0u, await InboxClient.AckAsync(carol, server, ids));
        Assert.Equal(2, (await InboxClient.ReceiveAsync(bob)).Count);
        Assert.Equal(2u, (await bob.Inbox.AckAsync(good, bob.Options)).Deleted);
        Assert.Equal(0u, (await bob.Inbox.AckAsync(good, bob.Options)).Deleted);
    }

    [Fact]
    public async Task Messages_for_nobody_here_too_large_ones_and_noise_are_refused()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.ConnectAsync(server);
        (Reason Expected, byte[] Message)[] cases =
        [
            (Reason.NotFound, InboxClient.Message(alice.Card.Account, 1)),
            (Reason.TooLarge, new byte[Limits.MessageBytes + 1]),
            (Reason.Malformed, [1, 2, 3]),
            (Reason.Malformed, []),
        ];

        foreach (var (expected, message) in cases)
        {
            Assert.Equal(expected, await Refused.ReasonAsync(async () =>
                await alice.Inbox.SendAsync(new() { Message = ByteString.CopyFrom(message) }, alice.Options)));
        }
    }

    private static async Task<List<V1.InboxMessage>> ReceiveOrEmptyAsync(TestDevice device)
    {
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(() => InboxClient.ReceiveAsync(device)));
        return [];
    }
}
