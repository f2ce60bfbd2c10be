using CloudPeer.Sync.Wire;
using Grpc.Core;

namespace CloudPeer.Bench.Load;

/// <summary>How one device pushes: over its stream, or with unary calls. One push at a time.</summary>
internal sealed class PushLine : IDisposable
{
    // Checking a receipt costs a client more than the server's whole work, so only some are checked, when the clock has stopped.
    private const int CheckedEvery = 64;

    private readonly LoadDevice _device;
    private readonly AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame>? _stream;
    private readonly List<V1.Receipt> _sample = [];
    private ulong _requests;

    private PushLine(LoadDevice device, bool isUnary)
    {
        _device = device;
        _stream = isUnary ? null : device.Sync.Stream(device.Options);
    }

    /// <summary>Receipts that were missing so far.</summary>
    public long Errors { get; private set; }

    /// <summary>Opens it.</summary>
    public static PushLine Open(LoadDevice device, bool isUnary) => new(device, isUnary);

    /// <summary>Pushes one frame and waits for its receipts.</summary>
    public async Task PushAsync(V1.ClientFrame frame)
    {
        var response = _stream is null ? await _device.Sync.PushAsync(frame.Push, _device.Options) : await SendAsync(_stream, frame);
        foreach (var (bundle, result) in frame.Push.Bundles.Zip(response?.Results ?? []))
        {
            if (result.Refusal is { } refusal && Errors == 0) await Console.Error.WriteLineAsync($"refused: {refusal}");
            Errors += bundle.Envelopes.Count - result.Receipts.Count;
            if (result.Receipts.Count > 0 && _requests % CheckedEvery == 0) _sample.Add(result.Receipts[^1]);
        }

        if (response is null) Errors++;
        _requests++;
    }

    /// <summary>Counts receipts of the sample that do not verify, as errors.</summary>
    public void CheckSample() => Errors += _sample.Select(WireLog.Read).Count(receipt => receipt.Server != _device.Target.Peer || !receipt.Verify());

    /// <inheritdoc />
    public void Dispose() => _stream?.Dispose();

    private async Task<V1.PushResponse?> SendAsync(AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> stream, V1.ClientFrame frame)
    {
        frame.Request = _requests + 1;
        await stream.RequestStream.WriteAsync(frame);
        return await stream.ResponseStream.MoveNext(CancellationToken.None) && stream.ResponseStream.Current.Request == frame.Request
            ? stream.ResponseStream.Current.Pushed
            : null;
    }
}
