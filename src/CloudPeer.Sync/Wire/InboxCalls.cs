using CloudPeer.Sync.Sessions;
using Google.Protobuf;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

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
}
