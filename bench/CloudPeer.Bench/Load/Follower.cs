using System.Diagnostics;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Bench.Load;

/// <summary>A device that is subscribed to one document. It notes when each index arrived and forgets the rest.</summary>
internal sealed class Follower : IDisposable
{
    private readonly LoadDevice _device;
    private readonly AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> _stream;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<long> _arrivals = [];
    private readonly ulong _from;
    private TaskCompletionSource? _waiting;
    private ulong _awaited;

    private Follower(LoadDevice device, ulong from)
    {
        _device = device;
        _from = from;
        _stream = device.Sync.Stream(device.Options);
    }

    /// <summary>Subscribes, and returns when the server has said that there is no more now.</summary>
    /// <param name="device">The device, which it owns.</param>
    /// <param name="document">The document.</param>
    /// <param name="from">The first index.</param>
    public static async Task<Follower> SubscribeAsync(LoadDevice device, DocId document, ulong from)
    {
        var follower = new Follower(device, from);
        await follower._stream.RequestStream.WriteAsync(new() { Request = 1, Subscribe = new() { Document = document.ToWire(), From = from } });
        _ = Task.Run(follower.ReadAsync);
        await follower._caughtUp.Task;
        return follower;
    }

    /// <summary>Subscribes over a stream that is then not read any more.</summary>
    public static async Task<AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame>> StallAsync(LoadDevice device, params IEnumerable<DocId> documents)
    {
        var stream = device.Sync.Stream(device.Options);
        var request = 0UL;
        foreach (var document in documents) await stream.RequestStream.WriteAsync(new() { Request = ++request, Subscribe = new() { Document = document.ToWire() } });
        await stream.ResponseStream.MoveNext(CancellationToken.None);
        return stream;
    }

    /// <summary>Completes when the device has all indexes below a size; faults if the stream ends before.</summary>
    public Task ReachAsync(ulong size)
    {
        lock (_lock)
        {
            if (_from + (ulong)_arrivals.Count >= size) return Task.CompletedTask;
            (_waiting, _awaited) = (new(TaskCreationOptions.RunContinuationsAsynchronously), size);
            return _waiting.Task;
        }
    }

    /// <summary>When an index arrived; null if it did not.</summary>
    public long? ArrivalOf(ulong index)
    {
        lock (_lock) return index - _from < (ulong)_arrivals.Count ? _arrivals[(int)(index - _from)] : null;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stream.Dispose();
        _device.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _stream.ResponseStream.MoveNext(CancellationToken.None)) Take(_stream.ResponseStream.Current);
            End(new InvalidOperationException("the server ended a stream"));
        }
        catch (Exception e) when (e is RpcException or InvalidProtocolBufferException)
        {
            End(e);
        }
    }

    private void Take(V1.ServerFrame frame)
    {
        if (frame.CaughtUp is not null) _caughtUp.TrySetResult();
        if (frame.Refused is { } refused) throw new RpcException(new(StatusCode.FailedPrecondition, refused.ToString()));
        if (frame.Entries is not { } entries) return;
        var now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            for (var i = 0; i < entries.Entries_.Count; i++) _arrivals.Add(now);
            if (_waiting is not null && _from + (ulong)_arrivals.Count >= _awaited) _waiting.TrySetResult();
        }
    }

    private void End(Exception why)
    {
        _caughtUp.TrySetException(why);
        lock (_lock)
        {
            _waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.TrySetException(why);
            _ = _waiting.Task.Exception;
        }
    }
}
