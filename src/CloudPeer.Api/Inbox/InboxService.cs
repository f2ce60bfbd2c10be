using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Inbox;

/// <summary>The <c>Inbox</c> service (docs/protocol/sync.md §4).</summary>
internal sealed class InboxService(
    InboxStore inbox, InboxTokens tokens, StrangerLimiter strangers, AccountDirectory accounts, SignedCalls signed) : V1.Inbox.InboxBase
{
    public override async Task<V1.SendResponse> Send(V1.SendRequest request, ServerCallContext context)
    {
        if (!SealedMessage.TryDecode(request.Message.Memory, out var message, out var error)) throw new TlfsException(error.Reason, error.Detail);
        if (request.Token.Length is not (0 or DeliveryToken.Size)) throw new TlfsException(Reason.Malformed, $"token has {DeliveryToken.Size} bytes or none");
        var recipient = await accounts.FindAsync(message.To, context.CancellationToken)
            ?? throw new TlfsException(Reason.NotFound, "the recipient has no account here");
        // A wrong token is answered as none is: nobody learns whether there is a right one.
        var isContact = await tokens.IsContactAsync(message.To, request.Token.Memory, context.CancellationToken);
        if (!isContact) strangers.Take(context.Peer(), message.To);
        await inbox.AddAsync(message, context.Peer(), isContact, InboxLimits.Of(recipient.Limits), context.CancellationToken);
        return new() { Id = message.Id.ToWire() };
    }

    public override async Task Receive(V1.ReceiveRequest request, IServerStreamWriter<V1.InboxMessage> responseStream, ServerCallContext context)
    {
        var account = await OwnAccountAsync(context);
        await foreach (var message in inbox.ReadAsync(account, context.CancellationToken))
        {
            await responseStream.WriteAsync(
                new()
                {
                    Id = message.Id.ToWire(),
                    Message = UnsafeByteOperations.UnsafeWrap(message.Bytes),
                    ReceivedMicros = (ulong)message.ReceivedMicros,
                },
                context.CancellationToken);
        }
    }

    public override async Task<V1.AckResponse> Ack(V1.AckRequest request, ServerCallContext context)
    {
        if (request.Ids.Count > InboxLimits.PerAck) throw new TlfsException(Reason.TooLarge, $"at most {InboxLimits.PerAck} messages are acknowledged at once");
        MessageId[] ids = [.. request.Ids.Select(id => WireIds.Read<MessageId>(id, "id"))];
        for (var i = 1; i < ids.Length; i++)
            if (ids[i - 1].CompareTo(ids[i]) >= 0) throw new TlfsException(Reason.Malformed, "the ids must ascend");

        signed.Verify(context, SignedRequest.InboxAck, request.Micros, SignedRequest.AckBytes(ids), request.Signature);
        var account = await OwnAccountAsync(context);
        return new() { Deleted = (uint)await inbox.DeleteAsync(account, ids, context.CancellationToken) };
    }

    public override async Task<V1.SetDeliveryTokenResponse> SetDeliveryToken(V1.SetDeliveryTokenRequest request, ServerCallContext context)
    {
        Bytes32? hash = request.TokenHash.IsEmpty ? null : WireIds.ReadBytes32(request.TokenHash, "token_hash");
        signed.Verify(context, SignedRequest.InboxSetDeliveryToken, request.Micros, SignedRequest.TokenBytes(hash), request.Signature);
        await tokens.SetAsync(await OwnAccountAsync(context), hash, request.Micros, context.CancellationToken);
        return new();
    }

    private async Task<AccountId> OwnAccountAsync(ServerCallContext context) =>
        (await accounts.FindByDeviceAsync(context.Peer(), context.CancellationToken))?.Account
        ?? throw new TlfsException(Reason.NotFound, "this device has no account here");
}
