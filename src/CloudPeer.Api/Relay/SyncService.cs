using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>The <c>Sync</c> service (docs/protocol/sync.md §2, §3): maps messages to the relay and back.</summary>
internal sealed partial class SyncService(
    DocumentRelay relay, StreamCounter streams, CallLimiter limiter, ITenants tenants, SignedCalls signed, StreamEnding streamEnding, ILogger<SyncService> log)
    : V1.Sync.SyncBase
{
    public override async Task<V1.PushResponse> Push(V1.PushRequest request, ServerCallContext context) =>
        await RelayCalls.PushAsync(relay, limiter, context.Peer(), request, context.CancellationToken);

    public override async Task Pull(V1.PullRequest request, IServerStreamWriter<V1.PullResponse> responseStream, ServerCallContext context)
    {
        if (request.Follow && request.Until != 0) throw new TlfsException(Reason.BadArgument, "a log that is followed has no end");
        using var place = request.Follow ? await EnterAsync(context) : null;
        // A reader that does not read must not hold up a server that stops; it goes on elsewhere from where it was.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streamEnding.Stopping);
        await PullAsync(request, responseStream, context.Peer(), ending.Token);
    }

    public override async Task Stream(
        IAsyncStreamReader<V1.ClientFrame> requestStream, IServerStreamWriter<V1.ServerFrame> responseStream, ServerCallContext context)
    {
        var peer = context.Peer();
        using var place = await EnterAsync(context);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streamEnding.Stopping);
        using var stream = new SyncStream(relay, limiter, peer, context.GetHttpContext().Connection.RemoteIpAddress, responseStream, ending, log);
        await stream.RunAsync(requestStream);
    }

    public override async Task<V1.DeleteDocumentResponse> DeleteDocument(V1.DeleteDocumentRequest request, ServerCallContext context)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        signed.Verify(context, SignedRequest.DeleteDocument, request.Micros, SignedRequest.DocumentBytes(document), request.Signature);
        var outcome = await relay.DeleteAsync(context.Peer(), document, context.CancellationToken);
        return outcome.Succeeded ? new() { FreedBytes = outcome.Value.FreedBytes } : throw new RefusedException(outcome.Refusal);
    }

    private async Task<IDisposable> EnterAsync(ServerCallContext context)
    {
        var place = streams.Enter(context.Peer(), await tenants.FindByDeviceAsync(context.Peer(), context.CancellationToken));
        streamEnding.Enter(context.GetHttpContext().Response);
        return place;
    }

    private async Task PullAsync(V1.PullRequest request, IServerStreamWriter<V1.PullResponse> writer, PeerId peer, CancellationToken cancellationToken)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        var beginning = await relay.BeginningAsync(peer, document, cancellationToken);
        if (!beginning.Succeeded) throw new RefusedException(beginning.Refusal);
        foreach (var generation in beginning.Value.Generations) await writer.WriteAsync(new() { Generation = generation.ToWire() }, cancellationToken);
        var range = RelayCalls.Range(request) with { Generation = beginning.Value.Generation };
        do
        {
            var outcome = await relay.ReadAsync(peer, document, range, cancellationToken);
            if (!outcome.Succeeded) throw new RefusedException(outcome.Refusal);
            var page = outcome.Value;
            if (page.Entries.Count > 0)
            {
                var entries = RelayCalls.Entries(page, document, request.OmitOwn ? peer : null);
                await writer.WriteAsync(new() { Entries = entries }, cancellationToken);
            }

            range = range.After(page);

            if (page.CaughtUp is not { } head) continue;
            await writer.WriteAsync(new() { CaughtUp = head.ToWire() }, cancellationToken);
            if (!request.Follow) return;
            if (await relay.WaitAsync(peer, document, range.From, cancellationToken, range.Generation) is { } refusal) throw new RefusedException(refusal);
        }
        while (range.Until == 0 || range.From < range.Until);
    }
}

/// <summary>What unary calls and streams have in common.</summary>
internal static class RelayCalls
{
    /// <summary>Pushes bundles; each has its receipts or its refusal.</summary>
    /// <exception cref="TlfsException">The document's id or the app's is malformed, or the push is too large.</exception>
    public static async Task<V1.PushResponse> PushAsync(
        DocumentRelay relay, CallLimiter limiter, PeerId peer, V1.PushRequest request, CancellationToken cancellationToken) =>
        await await QueueAsync(relay, limiter, peer, request, Task.CompletedTask, cancellationToken);

    /// <inheritdoc cref="PushAsync" />
    /// <returns>What completes when the push is queued for a commit; in it the answer.</returns>
    /// <param name="relay">The relay.</param>
    /// <param name="limiter">Counts bad signatures.</param>
    /// <param name="peer">Who pushes.</param>
    /// <param name="request">The push.</param>
    /// <param name="earlier">Completes when what the device pushed to the document before is decided.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static async Task<Task<V1.PushResponse>> QueueAsync(
        DocumentRelay relay, CallLimiter limiter, PeerId peer, V1.PushRequest request, Task earlier, CancellationToken cancellationToken)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        var app = AccountLimits.CheckAppId(request.AppId);
        ReadOnlyMemory<byte>[][] bundles = [.. request.Bundles.Select(bundle => bundle.Envelopes.Select(envelope => envelope.Memory).ToArray())];
        ReadOnlyMemory<byte>[] statements = [.. request.Statements.Select(statement => statement.Memory)];
        return AnswerAsync(limiter, peer, await relay.QueueAsync(peer, document, bundles, cancellationToken, i => request.Bundles[i].IfCurrent, app, statements, earlier));
    }

    private static async Task<V1.PushResponse> AnswerAsync(CallLimiter limiter, PeerId peer, Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> outcomes)
    {
        var response = new V1.PushResponse();
        foreach (var outcome in await outcomes)
        {
            if (outcome.Refusal?.Reason is Reason.BadSignature) limiter.CountBadSignature(peer);
            response.Results.Add(outcome.Succeeded
                ? new V1.BundleResult { Receipts = { outcome.Value.Select(receipt => receipt.ToWire()) } }
                : new V1.BundleResult { Refusal = outcome.Refusal.ToWire() });
        }

        return response;
    }

    /// <summary>What a request asks for.</summary>
    public static LogRange Range(V1.PullRequest request) => new(request.From) { Until = request.Until, HeadersOnly = request.HeadersOnly };

    /// <summary>Takes note of what a device holds.</summary>
    /// <exception cref="RefusedException">It may not, or cannot hold so much.</exception>
    public static async Task AckAsync(DocumentRelay relay, PeerId peer, V1.AckDocumentRequest request, CancellationToken cancellationToken)
    {
        var document = WireIds.Read<DocId>(request.Document, "document");
        if (await relay.AckAsync(peer, document, request.Size, cancellationToken) is { } refusal) throw new RefusedException(refusal);
    }

    /// <summary>A page of a log as a message.</summary>
    /// <param name="page">The page.</param>
    /// <param name="document">Its document.</param>
    /// <param name="omit">Whose envelopes are sent as ids only, if anybody's.</param>
    public static V1.Entries Entries(LogPage page, DocId document, PeerId? omit) => new()
    {
        Document = document.ToWire(),
        FirstIndex = page.FirstIndex,
        Entries_ =
        {
            page.Entries.Select(entry => Entry(entry, omit)),
        },
    };

    private static V1.Entry Entry(ServedEntry entry, PeerId? omit)
    {
        if (entry.Author == omit) return new() { Id = entry.Id.ToWire() };
        if (entry.Partial is not { } partial) return new() { Envelope = entry.Bytes.ToWire() };
        var parts = partial.Header.Parts.Select((_, i) => partial.Has(i) ? partial.Part(i).ToWire() : ByteString.Empty);
        return new() { Partial = new() { Head = partial.Head.ToWire(), Parts = { parts } } };
    }
}
