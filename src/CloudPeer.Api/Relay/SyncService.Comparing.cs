using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

// Heads with proofs, reconciliation, delivery (docs/protocol/sync.md §7, §8, log.md §3.4).
internal sealed partial class SyncService
{
    // What counts as one call, of what these calls make the server do.
    private const int StepsPerCall = 512;
    private const int AskedBytesPerCall = 128;
    private const int CallsPerMessage = 8;

    public override async Task<V1.GetHeadResponse> GetHead(V1.GetHeadRequest request, ServerCallContext context)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        var proven = Charge(context, await relay.HeadAsync(context.Peer(), document, request.FromSize, context.CancellationToken));
        return new() { Head = proven.Head.ToWire(), Proof = { proven.Proof.Select(WireLog.ToWire) } };
    }

    public override async Task<V1.ReconcileResponse> Reconcile(V1.ReconcileRequest request, ServerCallContext context)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        if (request.Hello.Length > ServerLimits.ReconcileBytes || request.Ask.Length > ServerLimits.ReconcileBytes)
            throw new TlfsException(Reason.TooLarge, $"a message of a reconciliation has at most {ServerLimits.ReconcileBytes} bytes");
        limiter.Count(context.Peer(), CallsPerMessage + request.Ask.Length / AskedBytesPerCall);
        var question = new ReconcileQuestion(request.Size, request.Hello.Memory, request.Ask.Memory);
        var answer = Charge(context, await relay.ReconcileAsync(context.Peer(), document, question, context.CancellationToken));
        return new() { Size = answer.Size, Message = answer.Message.ToWire() };
    }

    public override async Task<V1.AckDocumentResponse> Ack(V1.AckDocumentRequest request, ServerCallContext context)
    {
        await RelayCalls.AckAsync(relay, context.Peer(), request, context.CancellationToken);
        return new();
    }

    public override async Task<V1.GetDeliveredResponse> GetDelivered(V1.GetDeliveredRequest request, ServerCallContext context)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        var outcome = await relay.DeliveredAsync(context.Peer(), document, context.CancellationToken);
        if (!outcome.Succeeded) throw new RefusedException(outcome.Refusal);
        return new() { Devices = { outcome.Value.Select(each => new V1.Delivered { Peer = each.Device.ToWire(), Size = each.Size, Micros = each.Micros }) } };
    }

    private T Charge<T>(ServerCallContext context, Costed<T> costed)
        where T : class
    {
        limiter.Count(context.Peer(), costed.Steps / StepsPerCall);
        return costed.Outcome.Succeeded ? costed.Outcome.Value : throw new RefusedException(costed.Outcome.Refusal);
    }
}
