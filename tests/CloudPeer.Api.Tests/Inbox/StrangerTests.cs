using CloudPeer.Api.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Inbox;

/// <summary>Contacts and strangers have queues of their own (docs/protocol/sync.md §4, row S18 of the threat model).</summary>
public sealed class StrangerTests(PostgresFixture postgres)
{
    [Theory, BothStores]
    public async Task S18_A_flood_of_strangers_is_bounded_and_contacts_do_not_notice_it(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);
        var taken = 0;
        for (var i = 0; i < InboxLimits.Strangers / InboxLimits.PerStranger; i++)
        {
            using var stranger = await TestDevice.ConnectAsync(server);
            // All at once: a count that is not taken under a lock would let some pass the bound.
            var outcomes = await Task.WhenAll(Enumerable.Range(i * 100, InboxLimits.PerStranger + 2).Select(number => InboxClient.TrySendAsync(stranger, bob, number)));
            Assert.All(outcomes, outcome => Assert.True(outcome is null or Reason.InboxFull));
            Assert.Equal(InboxLimits.PerStranger, outcomes.Count(outcome => outcome is null));
            taken += InboxLimits.PerStranger;
        }

        using var late = await TestDevice.ConnectAsync(server);
        Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(late, bob, 1_000));
        for (var i = 0; i < InboxLimits.Contacts / InboxLimits.PerContact; i++)
        {
            using var contact = await TestDevice.ConnectAsync(server);
            var outcomes = await Task.WhenAll(Enumerable.Range((i + 20) * 100, InboxLimits.PerContact + 2).Select(number => InboxClient.TrySendAsync(contact, bob, number, token)));
            Assert.Equal(InboxLimits.PerContact, outcomes.Count(outcome => outcome is null));
            taken += InboxLimits.PerContact;
        }

        Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(late, bob, 1_001, token));
        Assert.Equal(taken, (await InboxClient.ReceiveAsync(bob)).Count);
        Assert.Equal(InboxLimits.PerAck, (int)await InboxClient.AckAllAsync(bob, server));
        Assert.Null(await InboxClient.TrySendAsync(late, bob, 1_001, token));
    }

    [Theory, BothStores]
    public async Task S18_The_bytes_of_each_queue_are_bounded(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);

        await FillAsync(server, bob, null, InboxLimits.StrangerBytes / Limits.MessageBytes, InboxLimits.PerStranger);
        await FillAsync(server, bob, token, InboxLimits.ContactBytes / Limits.MessageBytes, InboxLimits.PerContact);

        using var late = await TestDevice.ConnectAsync(server);
        Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(late, bob, 1_000));
        Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(late, bob, 1_000, token));
    }

    [Theory, BothStores]
    public async Task S18_A_stranger_writes_so_often_and_not_more(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var stranger = await TestDevice.ConnectAsync(server);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        var wrong = DeliveryToken.Generate(SystemEntropy.Instance);
        await InboxClient.SetTokenAsync(carol, server);
        for (var i = 0; i < InboxLimits.SenderBurst; i++)
        {
            // A wrong token costs as much as none, whether there is a right one or not.
            await InboxClient.SendAsync(stranger, i % 2 == 0 ? bob : carol, i, i % 3 == 0 ? wrong : null);
            await InboxClient.AckAllAsync(bob, server);
            await InboxClient.AckAllAsync(carol, server);
        }

        var refusal = await Refused.RefusalAsync(() => InboxClient.SendAsync(stranger, carol, 1_000, wrong));
        Assert.Equal((Reason.RateLimited, InboxLimits.SenderInterval), (refusal.Reason, refusal.RetryAfter));
        server.Clock.Advance(InboxLimits.SenderInterval);
        await InboxClient.SendAsync(stranger, carol, 1_000);
        Assert.Equal(Reason.RateLimited, await InboxClient.TrySendAsync(stranger, bob, 1_001));
    }

    [Theory, BothStores]
    public async Task S18_An_account_hears_of_strangers_so_often_and_of_contacts_always(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);
        for (var i = 0; i < InboxLimits.RecipientBurst / InboxLimits.PerStranger; i++)
        {
            using var one = await TestDevice.ConnectAsync(server);
            for (var j = 0; j < InboxLimits.PerStranger; j++) await InboxClient.SendAsync(one, bob, (i * 100) + j);
            await InboxClient.AckAllAsync(bob, server);
        }

        using var stranger = await TestDevice.ConnectAsync(server);
        var refusal = await Refused.RefusalAsync(() => InboxClient.SendAsync(stranger, bob, 1_000));
        Assert.Equal((Reason.RateLimited, InboxLimits.RecipientInterval), (refusal.Reason, refusal.RetryAfter));
        Assert.Null(await InboxClient.TrySendAsync(stranger, bob, 1_001, token));
        Assert.Null(await InboxClient.TrySendAsync(stranger, carol, 1_002));
        server.Clock.Advance(InboxLimits.RecipientInterval);
        Assert.Null(await InboxClient.TrySendAsync(stranger, bob, 1_000));
    }

    [Theory, BothStores]
    public async Task A_wrong_token_an_old_one_and_none_are_the_same(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        var old = await InboxClient.SetTokenAsync(bob, server);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var token = await InboxClient.SetTokenAsync(bob, server);
        DeliveryToken?[] presented = [null, DeliveryToken.Generate(SystemEntropy.Instance), old];

        foreach (var recipient in new[] { bob, carol })
        {
            using var sender = await TestDevice.ConnectAsync(server);
            for (var i = 0; i < InboxLimits.PerStranger; i++) Assert.Null(await InboxClient.TrySendAsync(sender, recipient, i, presented[i % presented.Length]));
            foreach (var one in presented) Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(sender, recipient, 100, one));
            Assert.Equal(recipient == bob ? null : Reason.InboxFull, await InboxClient.TrySendAsync(sender, recipient, 101, token));
        }

        Assert.Equal(Reason.Malformed, await Refused.ReasonAsync(async () => await bob.Inbox.SendAsync(
            new() { Message = Google.Protobuf.ByteString.CopyFrom(InboxClient.Message(carol.Card.Account, 1)), Token = Google.Protobuf.ByteString.CopyFrom(new byte[15]) },
            bob.Options)));
    }

    [Theory, BothStores]
    public async Task Only_a_signed_request_of_the_own_device_sets_the_token_and_the_latest_one_holds(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        using var carol = await TestDevice.RegisterAsync(server);
        using var nobody = await TestDevice.ConnectAsync(server);
        var token = DeliveryToken.Generate(SystemEntropy.Instance);
        var good = InboxCalls.SetDeliveryToken(bob.Key, server.Peer, token, bob.Now);
        (Reason Expected, TestDevice Caller, V1.SetDeliveryTokenRequest Request)[] cases =
        [
            (Reason.BadProof, bob, new(good) { Micros = good.Micros + 1 }),
            (Reason.BadProof, bob, new(good) { TokenHash = carol.Peer.ToWire() }),
            (Reason.BadProof, bob, new(good) { TokenHash = Google.Protobuf.ByteString.Empty }),
            (Reason.BadProof, bob, new(good) { Signature = carol.Peer.ToWire() }),
            (Reason.BadProof, carol, good),
            (Reason.BadProof, bob, InboxCalls.SetDeliveryToken(bob.Key, carol.Peer, token, bob.Now)),
            (Reason.Malformed, bob, new(good) { TokenHash = Google.Protobuf.ByteString.CopyFrom(new byte[31]) }),
            (Reason.NotFound, nobody, InboxCalls.SetDeliveryToken(nobody.Key, server.Peer, token, nobody.Now)),
        ];
        foreach (var (expected, caller, request) in cases)
            Assert.Equal(expected, await Refused.ReasonAsync(async () => await caller.Inbox.SetDeliveryTokenAsync(request, caller.Options)));
        await bob.Inbox.SetDeliveryTokenAsync(good, bob.Options);
        await bob.Inbox.SetDeliveryTokenAsync(good, bob.Options);

        await server.RestartAsync();
        for (var i = 0; i <= InboxLimits.PerStranger; i++) Assert.Null(await InboxClient.TrySendAsync(carol, bob, i, token));
        await bob.Inbox.SetDeliveryTokenAsync(InboxCalls.SetDeliveryToken(bob.Key, server.Peer, null, bob.Now + 1), bob.Options);

        Assert.Equal(Reason.BadProof, await Refused.ReasonAsync(async () => await bob.Inbox.SetDeliveryTokenAsync(good, bob.Options)));
        for (var i = 0; i < InboxLimits.PerStranger; i++) Assert.Null(await InboxClient.TrySendAsync(carol, bob, 100 + i, token));
        Assert.Equal(Reason.InboxFull, await InboxClient.TrySendAsync(carol, bob, 200, token));
    }

    [Fact]
    public async Task The_server_keeps_the_hash_of_a_token_and_not_the_token()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var bob = await TestDevice.RegisterAsync(server);
        var token = await InboxClient.SetTokenAsync(bob, server);
        await InboxClient.SendAsync(bob, bob, 1, token);
        await server.StopAsync();

        var files = Directory.GetFiles(server.DataFolder, "accounts.db*").Select(File.ReadAllBytes).ToList();

        Assert.Contains(files, file => file.AsSpan().IndexOf(token.Hash.ToArray()) >= 0);
        Assert.DoesNotContain(files, file => file.AsSpan().IndexOf(token.Bytes) >= 0);
    }

    // Messages of the largest size, until the bytes are used up and not the number of messages.
    private static async Task FillAsync(TestServer server, TestDevice to, DeliveryToken? token, int messages, int share)
    {
        for (var sent = 0; sent < messages;)
        {
            using var sender = await TestDevice.ConnectAsync(server);
            for (var i = 0; i < share && sent < messages; i++) Assert.Null(await InboxClient.TrySendAsync(sender, to, (share * 1_000) + sent++, token, Limits.MessageBytes));
        }
    }
}
