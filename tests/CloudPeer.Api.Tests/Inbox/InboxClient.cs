using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Inbox;

/// <summary>What devices do with inboxes, with messages that only look sealed: a server cannot tell.</summary>
internal static class InboxClient
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A message to an account; numbers make different ones.</summary>
    /// <param name="to">The recipient.</param>
    /// <param name="number">Its number.</param>
    /// <param name="bytes">Its length, or 0 for a short one.</param>
    public static byte[] Message(AccountId to, int number, int bytes = 0)
    {
        var shortest = Encode(to, number, sizeof(int));
        if (bytes == 0) return shortest;
        // The length of the ciphertext takes two more bytes to say.
        var message = Encode(to, number, bytes - (shortest.Length - sizeof(int)) - 2);
        Assert.Equal(bytes, message.Length);
        return message;
    }

    public static async Task<MessageId> SendAsync(TestDevice from, TestDevice to, int number, DeliveryToken? token = null, int bytes = 0)
    {
        var request = new V1.SendRequest { Message = ByteString.CopyFrom(Message(to.Card.Account, number, bytes)), Token = Wire(token) };
        return Id.From<MessageId>((await from.Inbox.SendAsync(request, from.Options)).Id.Span);
    }

    /// <summary>Why it was refused, or null.</summary>
    public static async Task<Reason?> TrySendAsync(TestDevice from, TestDevice to, int number, DeliveryToken? token = null, int bytes = 0)
    {
        try
        {
            await SendAsync(from, to, number, token, bytes);
            return null;
        }
        catch (RpcException refused)
        {
            return Refusals.FromRpc(refused).Reason;
        }
    }

    public static async Task<List<V1.InboxMessage>> ReceiveAsync(TestDevice device)
    {
        using var call = device.Inbox.Receive(new(), device.Options);
        var messages = new List<V1.InboxMessage>();
        while (await call.ResponseStream.MoveNext(Cancel)) messages.Add(call.ResponseStream.Current);
        return messages;
    }

    public static async Task<uint> AckAsync(TestDevice device, TestServer server, IEnumerable<MessageId> ids) =>
        (await device.Inbox.AckAsync(InboxCalls.Ack(device.Key, server.Peer, ids, device.Now), device.Options)).Deleted;

    public static async Task<uint> AckAllAsync(TestDevice device, TestServer server) =>
        await AckAsync(device, server, (await ReceiveAsync(device)).Select(message => Id.From<MessageId>(message.Id.Span)));

    /// <summary>Gives the account a new token.</summary>
    public static async Task<DeliveryToken> SetTokenAsync(TestDevice device, TestServer server)
    {
        var token = DeliveryToken.Generate(SystemEntropy.Instance);
        await device.Inbox.SetDeliveryTokenAsync(InboxCalls.SetDeliveryToken(device.Key, server.Peer, token, device.Now), device.Options);
        return token;
    }

    private static byte[] Encode(AccountId to, int number, int bytes) => Canonical.Encode(writer =>
    {
        var noise = new byte[bytes];
        BitConverter.TryWriteBytes(noise, number);
        writer.BeginArray(6);
        writer.UInt(1);
        writer.UInt(1);
        writer.Id(to);
        writer.UInt(1);
        writer.Bytes32(default);
        writer.Bytes(noise);
        writer.EndArray();
    });

    private static ByteString Wire(DeliveryToken? token) => token is null ? ByteString.Empty : ByteString.CopyFrom(token.Bytes);
}
