using System.Collections.Concurrent;
using System.Threading.Channels;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>Something that a subscription brought.</summary>
/// <param name="Document">The document.</param>
/// <param name="Page">Entries, or the head after them; null if the subscription has ended.</param>
/// <param name="Refusal">Why it has ended; null if it goes on or ended as asked.</param>
/// <param name="Tag">What the subscriber gave to tell its subscriptions apart; null after an end that was asked for.</param>
public sealed record StreamEvent(DocId Document, PulledPage? Page, Refusal? Refusal, object? Tag = null);

/// <summary>
/// Many documents on one connection, both directions (docs/protocol/sync.md §3.2). Somebody must read <see cref="Events"/> all the time, because the
/// answers to pushes come the same way; when the connection ends, the events end with the reason, and so do all pushes that wait. A push that is not answered
/// in time ends with <c>timeout</c>.
/// </summary>
public sealed class LiveConnection : IAsyncDisposable
{
    private const int QueuedEvents = 64;

    private readonly AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> _call;
    private readonly PeerId _server;
    private readonly string _app;
    private readonly TimeProvider _time;
    private readonly Channel<StreamEvent> _events = Channel.CreateBounded<StreamEvent>(QueuedEvents);
    private readonly ConcurrentDictionary<ulong, Subscription> _subscriptions = [];
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<V1.ServerFrame>> _pushes = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationToken _opening;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _receiving;
    private ulong _requests;
    private volatile bool _hasEnded;
    private bool _disposed;

    internal LiveConnection(AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> call, PeerId server, string app, TimeProvider time, CancellationToken opening)
    {
        _call = call;
        _opening = opening;
        _server = server;
        _app = app;
        _time = time;
        _receiving = ReceiveAsync();
    }

    /// <summary>What the subscriptions bring.</summary>
    public IAsyncEnumerable<StreamEvent> Events => _events.Reader.ReadAllAsync();

    /// <summary>True if the connection has ended: the events say why.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Subscribes to a document's log from an index on.</summary>
    /// <param name="document">The document.</param>
    /// <param name="from">The first index.</param>
    /// <param name="omitOwn">Has this device's own envelopes sent as ids only.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="tag">Comes with each event of this subscription; an earlier one to the same document may still have some.</param>
    public Task SubscribeAsync(DocId document, ulong from, bool omitOwn, CancellationToken cancellationToken, object? tag = null) => SendAsync(
        new() { Subscribe = new() { Document = document.ToWire(), From = from, OmitOwn = omitOwn } },
        request => _subscriptions[request] = new(document, from, tag),
        cancellationToken);

    /// <summary>Ends the subscription to a document.</summary>
    public Task UnsubscribeAsync(DocId document, CancellationToken cancellationToken) =>
        SendAsync(new() { Unsubscribe = document.ToWire() }, request => _subscriptions[request] = new(document, 0, null), cancellationToken);

    /// <summary>Pushes bundles of one document; receipts are verified.</summary>
    /// <inheritdoc cref="CloudpeerConnection.PushAsync" />
    public async Task<IReadOnlyList<PushResult>> PushAsync(
        DocId document, IReadOnlyList<IReadOnlyList<Envelope>> bundles, CancellationToken cancellationToken, IReadOnlySet<int>? ifCurrent = null,
        IReadOnlyList<Envelope>? statements = null)
    {
        var answer = new TaskCompletionSource<V1.ServerFrame>(TaskCreationOptions.RunContinuationsAsynchronously);
        var frame = new V1.ClientFrame { Push = CloudpeerConnection.PushRequest(document, bundles, ifCurrent, _app, statements) };
        using var late = new CancellationTokenSource(CloudpeerConnection.PushLimit(frame.Push), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await SendAsync(frame, request => _pushes[request] = answer, either.Token).ConfigureAwait(false);
            if (_hasEnded) FailPushes(Ended());
            var answered = await answer.Task.WaitAsync(either.Token).ConfigureAwait(false);
            if (answered.Refused is { } refused) throw WireRefusal.Read(refused).ToTlfsException();
            return PushResult.Read(answered.Pushed ?? new(), _server, document, bundles);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && late.IsCancellationRequested)
        {
            throw new TlfsException(Reason.Timeout, "the server did not answer a push in time; what was sent may have arrived", e);
        }
        finally
        {
            _pushes.TryRemove(frame.Request, out _);
        }
    }

    /// <summary>Says up to where this device holds a document (docs/protocol/sync.md §8); nothing is answered.</summary>
    public Task AckAsync(DocId document, ulong size, CancellationToken cancellationToken) =>
        SendAsync(new() { Ack = new() { Document = document.ToWire(), Size = size } }, _ => { }, cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        _call.Dispose();
        await _receiving.ConfigureAwait(false);
        _sending.Dispose();
        _stopping.Dispose();
    }

    private async Task SendAsync(V1.ClientFrame frame, Action<ulong> register, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            frame.Request = ++_requests;
            register(frame.Request);
            await _call.RequestStream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw CloudpeerConnection.Explain(e, _opening.IsCancellationRequested ? _opening : cancellationToken);
        }
        catch (InvalidOperationException)
        {
            // The call has completed: the reason is with the events.
            _opening.ThrowIfCancellationRequested();
            throw Ended();
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReceiveAsync()
    {
        Exception end = Ended();
        try
        {
            while (await _call.ResponseStream.MoveNext(_stopping.Token).ConfigureAwait(false))
            {
                if (Take(_call.ResponseStream.Current) is { } next) await _events.Writer.WriteAsync(next, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (RpcException e)
        {
            end = CloudpeerConnection.Explain(e, _opening.IsCancellationRequested ? _opening : _stopping.Token);
        }
        catch (Exception e) when (e is TlfsException or OperationCanceledException)
        {
            end = e;
        }
        finally
        {
            // Whatever happens, nobody waits for what does not come any more.
            _hasEnded = true;
            _events.Writer.TryComplete(end);
            FailPushes(end);
        }
    }

    private StreamEvent? Take(V1.ServerFrame frame)
    {
        if (_pushes.TryRemove(frame.Request, out var push))
        {
            push.TrySetResult(frame);
            return null;
        }

        if (!_subscriptions.TryGetValue(frame.Request, out var subscription)) return null;
        switch (frame.ContentCase)
        {
            case V1.ServerFrame.ContentOneofCase.Entries:
                var page = PulledPage.Read(subscription.Document, subscription.Next, frame.Entries);
                subscription.Next += (ulong)page.Entries.Count;
                return new(subscription.Document, page, null, subscription.Tag);
            case V1.ServerFrame.ContentOneofCase.CaughtUp:
                return new(subscription.Document, PulledPage.Read(subscription.Next, frame.CaughtUp), null, subscription.Tag);
            case V1.ServerFrame.ContentOneofCase.Generation:
                return new(subscription.Document, PulledPage.Read(subscription.Next, frame.Generation), null, subscription.Tag);
            default:
                _subscriptions.TryRemove(frame.Request, out _);
                return new(subscription.Document, null, frame.Refused is { } refused ? WireRefusal.Read(refused) : null, subscription.Tag);
        }
    }

    private void FailPushes(Exception end)
    {
        foreach (var request in _pushes.Keys)
            if (_pushes.TryRemove(request, out var push)) push.TrySetException(end);
    }

    private static TlfsException Ended() => new(Reason.Unavailable, "the server ended the connection");

    private sealed class Subscription(DocId document, ulong next, object? tag)
    {
        public object? Tag { get; } = tag;

        public DocId Document { get; } = document;

        public ulong Next { get; set; } = next;
    }
}

/// <summary>Refusals as exceptions.</summary>
public static class RefusalExceptions
{
    /// <summary>The refusal of a part of a call, for whoever throws.</summary>
    public static TlfsException ToTlfsException(this Refusal refusal) => new(refusal.Reason, refusal.Message) { RetryAfter = refusal.RetryAfter };
}
