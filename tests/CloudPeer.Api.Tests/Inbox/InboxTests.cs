using CloudPeer.Api.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Encoding;
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
        var sent = new List<MessageId>();
        for (byte i = 0; i < 20; i++) sent.Add(await SendAsync(alice, bob, i));

        await server.RestartAsync();
        var received = await ReceiveAsync(bob);
        var deleted = await AckAsync(bob, server, sent.Take(19));
        var left = await ReceiveAsync(bob);

        Assert.Equal(sent, received.Select(message => Id.From<MessageId>(message.Id.Span)));
        Assert.Equal(Message(bob.Card.Account, 7), received[7].Message.ToByteArray());
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

        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(alice, bob, 1)));

        Assert.Single(ids.Distinct());
        Assert.Single(await ReceiveAsync(bob));
    }

    [Theory, BothStores]
    public async Task One_sender_fills_its_share_and_all_senders_the_whole_and_no_more(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var first = await TestDevice.ConnectAsync(server);
        // All at once: a count that is not taken under a lock would let some pass the bound.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, InboxLimits.PerSender + 5).Select(i => TrySendAsync(first, bob, i)));
        Assert.Equal(InboxLimits.PerSender, outcomes.Count(reason => reason is null));
        Assert.Equal(5, outcomes.Count(reason => reason is Reason.InboxFull));

        for (var sender = 1; sender < InboxLimits.PerAccount / InboxLimits.PerSender; sender++)
        {
            using var device = await TestDevice.ConnectAsync(server);
            for (var i = 0; i < InboxLimits.PerSender; i++) Assert.Null(await TrySendAsync(device, bob, sender * 100 + i));
        }

        using var late = await TestDevice.ConnectAsync(server);
        Assert.Equal(Reason.InboxFull, await TrySendAsync(late, bob, 5_000));
        Assert.Equal(InboxLimits.PerAccount, (await ReceiveAsync(bob)).Count);
    }

    [Theory, BothStores]
    public async Task A_message_expires_after_thirty_days_and_makes_room(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);
        for (var i = 0; i < InboxLimits.PerSender; i++) await SendAsync(alice, bob, i);

        server.Clock.Advance(InboxLimits.Kept);
        await bob.OpenSessionAsync();
        await alice.OpenSessionAsync();
        Assert.Equal(InboxLimits.PerSender, (await ReceiveAsync(bob)).Count);
        server.Clock.Advance(TimeSpan.FromMicroseconds(1));

        Assert.Empty(await ReceiveAsync(bob));
        var again = await SendAsync(alice, bob, 0);
        Assert.Equal([again.ToWire()], (await ReceiveAsync(bob)).Select(message => message.Id));
    }

    [Theory, BothStores]
    public async Task Only_a_signed_request_of_the_own_device_deletes(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        using var alice = await TestDevice.ConnectAsync(server);
        MessageId[] ids = [.. new[] { await SendAsync(alice, bob, 1), await SendAsync(alice, bob, 2) }.Order()];
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
        Assert.Equal(0u, await AckAsync(carol, server, ids));
        Assert.Equal(2, (await ReceiveAsync(bob)).Count);
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
            (Reason.NotFound, Message(alice.Card.Account, 1)),
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

    // Only the outside of a message matters to a server.
    private static byte[] Message(AccountId to, int number) => Canonical.Encode(writer =>
    {
        writer.BeginArray(6);
        writer.UInt(1);
        writer.UInt(1);
        writer.Id(to);
        writer.UInt(1);
        writer.Bytes32(default);
        writer.Bytes(BitConverter.GetBytes(number));
        writer.EndArray();
    });

    private static async Task<MessageId> SendAsync(TestDevice from, TestDevice to, int number)
    {
        var sent = await from.Inbox.SendAsync(new() { Message = ByteString.CopyFrom(Message(to.Card.Account, number)) }, from.Options);
        return Id.From<MessageId>(sent.Id.Span);
    }

    private static async Task<Reason?> TrySendAsync(TestDevice from, TestDevice to, int number)
    {
        try
        {
            await SendAsync(from, to, number);
            return null;
        }
        catch (Grpc.Core.RpcException refused)
        {
            return Refusals.FromRpc(refused).Reason;
        }
    }

    private static async Task<List<V1.InboxMessage>> ReceiveAsync(TestDevice device)
    {
        using var call = device.Inbox.Receive(new(), device.Options);
        var messages = new List<V1.InboxMessage>();
        while (await call.ResponseStream.MoveNext(Cancel)) messages.Add(call.ResponseStream.Current);
        return messages;
    }

    private static async Task<List<V1.InboxMessage>> ReceiveOrEmptyAsync(TestDevice device)
    {
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(() => ReceiveAsync(device)));
        return [];
    }

    private static async Task<uint> AckAsync(TestDevice device, TestServer server, IEnumerable<MessageId> ids) =>
        (await device.Inbox.AckAsync(InboxCalls.Ack(device.Key, server.Peer, ids, device.Now), device.Options)).Deleted;
}
