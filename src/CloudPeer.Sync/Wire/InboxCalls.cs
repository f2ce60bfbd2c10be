using CloudPeer.Sync.Sessions;
using Google.Protobuf;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Wire;

/// <summary>Requests to the inbox that a client signs (docs/protocol/sync.md §4).</summary>
public static class InboxCalls
{
    /// <summary>A signed request to delete messages that have been received.</summary>
    public static V1.AckRequest Ack(SigningKey device, PeerId server, IEnumerable<MessageId> messages, ulong micros)
    {
        var ids = messages.Distinct().Order().ToArray();
        var signature = SignedRequest.Sign(device, server, SignedRequest.InboxAck, micros, SignedRequest.AckBytes(ids));
        return new()
        {
            Ids = { ids.Select(id => id.ToWire()) },
            Micros = micros,
            Signature = UnsafeByteOperations.UnsafeWrap(signature),
        };
    }

    /// <summary>A signed request to take this account's contacts for such, or nobody any more.</summary>
    /// <param name="device">The device's key.</param>
    /// <param name="server">The server that is meant.</param>
    /// <param name="token">What contacts present; null for no contacts.</param>
    /// <param name="micros">The device's clock, microseconds since 1970; of two requests the later one holds.</param>
    public static V1.SetDeliveryTokenRequest SetDeliveryToken(SigningKey device, PeerId server, DeliveryToken? token, ulong micros)
    {
        var hash = token?.Hash;
        var signature = SignedRequest.Sign(device, server, SignedRequest.InboxSetDeliveryToken, micros, SignedRequest.TokenBytes(hash));
        return new()
        {
            TokenHash = hash is { } bytes ? UnsafeByteOperations.UnsafeWrap(bytes.ToArray()) : ByteString.Empty,
            Micros = micros,
            Signature = UnsafeByteOperations.UnsafeWrap(signature),
        };
    }
}
