using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.ExceptionServices;
using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>
/// One connection of a device (docs/protocol/sync.md §3.2). Frames are answered with their request number. Everything that is sent goes
/// through one gate and is awaited there, so a slow reader makes its own stream wait and nobody else's; a page is read from the store only
/// when it is its turn to be sent.
/// </summary>
internal sealed partial class SyncStream(
    DocumentRelay relay, CallLimiter limiter, PeerId peer, IPAddress? address, IServerStreamWriter<V1.ServerFrame> writer, CancellationTokenSource ending, ILogger log)
    : IDisposable
{
    // What another frame follows at once goes to the network with it.
    private static readonly WriteOptions Buffer = new(WriteFlags.BufferHint);
    private static readonly WriteOptions Flush = new();

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<DocId, Subscription> _subscriptions = [];
    private readonly PushLanes _pushes = new();
    private Exception? _failure;

    /// <summary>Serves until the client ends the stream.</summary>
    public async Task RunAsync(IAsyncStreamReader<V1.ClientFrame> frames)
    {
        try
        {
            while (await frames.MoveNext(ending.Token)) await HandleAsync(frames.Current);
            await _pushes.DrainAsync();
        }
        catch (OperationCanceledException) when (_failure is not null)
        {
            // The stream was ended because one of its tasks failed; that failure says why.
        }
        catch (IOException e) when (e is not InvalidProtocolBufferException)
        {
            // The client reset the stream or is gone: one way to end it.
        }
        finally
        {
            await ending.CancelAsync();
            await _pushes.DrainAsync();
            foreach (var subscription in TakeAll()) await subscription.DisposeAsync();
        }

        if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _gate.Dispose();
        _pushes.Dispose();
    }

    private async Task HandleAsync(V1.ClientFrame frame)
    {
        try
        {
            limiter.Take(peer, address);
            switch (frame.ContentCase)
            {
                case V1.ClientFrame.ContentOneofCase.Push:
                    await PushAsync(frame);
                    break;
                case V1.ClientFrame.ContentOneofCase.Subscribe:
                    Subscribe(frame);
                    break;
                case V1.ClientFrame.ContentOneofCase.Unsubscribe:
                    await UnsubscribeAsync(frame);
                    break;
                case V1.ClientFrame.ContentOneofCase.Ack:
                    await AckAsync(frame);
                    break;
                default:
                    throw new TlfsException(Reason.Malformed, "the frame asks for nothing that this version knows");
            }
        }
        catch (TlfsException refused)
        {
            await RefuseAsync(frame.Request, new(refused.Reason, refused.Message));
        }
        catch (RefusedException refused)
        {
            await RefuseAsync(frame.Request, refused.Refusal);
        }
    }

    private Task PushAsync(V1.ClientFrame frame) => _pushes.RunAsync(
        WireIds.Read<DocId>(frame.Push.Document, "document"), frame.Push.CalculateSize(), earlier => QueueAsync(frame, earlier), ending.Token);

    // What waits for the answer knows the frame's number and not the frame: a device that does not read must not keep its pushes in memory.
    private async Task<QueuedPush> QueueAsync(V1.ClientFrame frame, Task earlier)
    {
        var (request, refusal) = (frame.Request, default(Refusal));
        Task<V1.PushResponse>? queued = null;
        await Watch(async () => refusal = await AskAsync(async () =>
        {
            queued = await RelayCalls.QueueAsync(relay, limiter, peer, frame.Push, earlier, ending.Token);
            return null;
        }));
        if (queued is not null) return new(queued, AnswerAsync(request, queued));
        return new(Task.CompletedTask, refusal is null ? Task.CompletedTask : AnswerAsync(request, refusal));
    }

    private Task AnswerAsync(ulong request, Refusal refusal) => Watch(() => RefuseAsync(request, refusal));

    private Task AnswerAsync(ulong request, Task<V1.PushResponse> queued) => Watch(async () =>
    {
        V1.PushResponse? response = null;
        var refusal = await AskAsync(async () =>
        {
            response = await queued;
            return null;
        });
        await (refusal is null ? SendAsync(new() { Request = request, Pushed = response }) : RefuseAsync(request, refusal));
    });

    private async Task AckAsync(V1.ClientFrame frame)
    {
        var refusal = await AskAsync(async () =>
        {
            await RelayCalls.AckAsync(relay, peer, frame.Ack, ending.Token);
            return null;
        });
        if (refusal is not null) await RefuseAsync(frame.Request, refusal);
    }

    private void Subscribe(V1.ClientFrame frame)
    {
        var document = WireIds.Read<DocId>(frame.Subscribe.Document, "document");
        if (frame.Subscribe.Until != 0) throw new TlfsException(Reason.BadArgument, "a subscription has no end");
        lock (_lock)
        {
            if (_subscriptions.ContainsKey(document)) throw new TlfsException(Reason.BadArgument, "this stream is subscribed to the document already");
            if (_subscriptions.Count >= limiter.SubscriptionsPerStream)
                throw new TlfsException(Reason.TooLarge, $"a stream has at most {limiter.SubscriptionsPerStream} subscriptions");
            var subscription = new Subscription(ending.Token);
            _subscriptions.Add(document, subscription);
            subscription.Task = Task.Run(() => Watch(() => FollowAsync(frame, document, subscription)));
        }
    }

    private async Task UnsubscribeAsync(V1.ClientFrame frame)
    {
        var document = WireIds.Read<DocId>(frame.Unsubscribe, "document");
        if (TryTake(document, out var subscription)) await subscription.DisposeAsync();

        await SendAsync(new() { Request = frame.Request, Unsubscribed = document.ToWire() });
    }

    private async Task FollowAsync(V1.ClientFrame frame, DocId document, Subscription subscription)
    {
        var stopped = subscription.Stopped;
        PeerId? omit = frame.Subscribe.OmitOwn ? peer : null;
        var (range, refusal) = await SendBeginningAsync(frame, document, stopped);
        while (refusal is null)
        {
            (range, var caughtUp, refusal) = await SendPageAsync(frame.Request, document, range, omit, stopped);
            if (refusal is null && caughtUp) refusal = await AskAsync(() => relay.WaitAsync(peer, document, range.From, stopped, range.Generation));
        }

        // It ends by itself here, unless somebody is ending it already.
        if (!TryTake(document, out _)) return;
        subscription.EndedByItself();
        await RefuseAsync(frame.Request, refusal);
    }

    private async Task<(LogRange Next, bool CaughtUp, Refusal? Refusal)> SendPageAsync(
        ulong request, DocId document, LogRange range, PeerId? omit, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            LogPage? page = null;
            var refusal = await AskAsync(async () =>
            {
                var outcome = await relay.ReadAsync(peer, document, range, cancellationToken);
                page = outcome.Value;
                return outcome.Refusal;
            });
            if (page is null) return (range, false, refusal);
            // From here on the stream's own end is the only one: half a page must not be left out.
            if (page.Entries.Count > 0)
            {
                writer.WriteOptions = page.CaughtUp is null ? Flush : Buffer;
                await writer.WriteAsync(new() { Request = request, Entries = RelayCalls.Entries(page, document, omit) }, ending.Token);
                writer.WriteOptions = Flush;
            }

            if (page.CaughtUp is { } head) await writer.WriteAsync(new() { Request = request, CaughtUp = head.ToWire() }, ending.Token);
            return (range.After(page), page.CaughtUp is not null, null);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<(LogRange Range, Refusal? Refusal)> SendBeginningAsync(V1.ClientFrame frame, DocId document, CancellationToken cancellationToken)
    {
        LogBeginning? beginning = null;
        var refusal = await AskAsync(async () =>
        {
            var outcome = await relay.BeginningAsync(peer, document, cancellationToken);
            beginning = outcome.Value;
            return outcome.Refusal;
        });
        if (beginning is null) return (default, refusal);
        foreach (var generation in beginning.Generations) await SendAsync(new() { Request = frame.Request, Generation = generation.ToWire() });
        return (RelayCalls.Range(frame.Subscribe) with { Generation = beginning.Generation }, null);
    }

    private Task RefuseAsync(ulong request, Refusal refusal) => SendAsync(new() { Request = request, Refused = refusal.ToWire() });

    private async Task SendAsync(V1.ServerFrame frame)
    {
        await _gate.WaitAsync(ending.Token);
        try
        {
            await writer.WriteAsync(frame, ending.Token);
        }
        finally
        {
            _gate.Release();
        }
    }

    // What fails for one frame or one document is refused there, and everything else on the stream goes on.
    private async Task<Refusal?> AskAsync(Func<Task<Refusal?>> ask)
    {
        try
        {
            return await ask();
        }
        catch (TlfsException refused)
        {
            return new(refused.Reason, refused.Message);
        }
        catch (RefusedException refused)
        {
            return refused.Refusal;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailed(log, failure);
            return new(Reason.Internal, "the server failed; its log says more");
        }
    }

    // A task of the stream that fails ends the stream; one that is stopped just ends.
    private async Task Watch(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            await ending.CancelAsync();
        }
    }

    // Whoever takes a subscription out of the table ends it.
    private bool TryTake(DocId document, [NotNullWhen(true)] out Subscription? subscription)
    {
        lock (_lock) return _subscriptions.Remove(document, out subscription);
    }

    private List<Subscription> TakeAll()
    {
        lock (_lock)
        {
            var subscriptions = _subscriptions.Values.ToList();
            _subscriptions.Clear();
            return subscriptions;
        }
    }

    [LoggerMessage(EventId = 1207, Level = LogLevel.Error, Message = "A frame or a subscription of a stream failed unexpectedly")]
    private static partial void LogFailed(ILogger log, Exception failure);

    private sealed class Subscription : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop;

        public Subscription(CancellationToken streamEnds)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(streamEnds);
            Stopped = _stop.Token;
        }

        public CancellationToken Stopped { get; }

        public Task Task { get; set; } = Task.CompletedTask;

        public void EndedByItself() => _stop.Dispose();

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task;
            _stop.Dispose();
        }
    }
}
