using System.Diagnostics;

namespace CloudPeer.Bench.Load.Works;

/// <summary>W1: each sender pushes to its documents in turn, and waits for the receipt before its next push.</summary>
internal sealed class ClosedLoop : IDisposable
{
    private readonly LoadOptions _options;
    private readonly int _perPush;
    private readonly List<Sender> _senders = [];
    private readonly TaskCompletionSource _exhausted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _measuring, _stopping;
    private int _envelopeBytes;

    private ClosedLoop(LoadOptions options, int perPush)
    {
        _options = options;
        _perPush = perPush;
    }

    /// <summary>Runs it and prints its line.</summary>
    public static async Task<LoadLine> RunAsync(LoadOptions options, LoadServer server, int perPush)
    {
        using var loop = await PrepareAsync(options, server, perPush);
        var line = await loop.MeasureAsync(server);
        line.Print();
        return line;
    }

    /// <summary>Connects the senders, hosts their documents, and makes all envelopes.</summary>
    public static async Task<ClosedLoop> PrepareAsync(LoadOptions options, LoadServer server, int perPush)
    {
        var loop = new ClosedLoop(options, perPush);
        var pushes = options.ToPrepare / (options.Senders * perPush);
        var devices = await LoadDevice.ManyAsync(options.Senders, _ => LoadDevice.RegisterAsync(server.Nodes[0]));
        loop._senders.AddRange(devices.Select(device => new Sender(device, PushLine.Open(device, options.Unary))));
        await Parallel.ForAsync(0, options.Senders, async (i, _) =>
        {
            var documents = new List<LoadDocument>();
            for (var document = i; document < options.Documents; document += options.Senders) documents.Add(await LoadDocument.HostAsync(devices[i]));
            for (var push = 0; push < pushes; push++) loop._senders[i].Frames.Add(documents[push % documents.Count].NextPush(perPush));
            loop._envelopeBytes = documents[0].EnvelopeBytes;
        });
        GC.Collect();
        return loop;
    }

    /// <summary>Warms up, measures until the time is over or the first sender has nothing left, and stops.</summary>
    public async Task<LoadLine> MeasureAsync(LoadServer server, string? variant = null)
    {
        Task[] running = [.. _senders.Select(sender => Task.Run(() => SendAsync(sender)))];
        await Task.WhenAny(Task.Delay(_options.WarmUp, TimeProvider.System), _exhausted.Task);
        var meter = Meter.Start(server, _options);
        _measuring = true;
        await Task.WhenAny(Task.Delay(_options.Measured, TimeProvider.System), _exhausted.Task);
        _measuring = false;
        var line = meter.Stop(_senders.Sum(sender => (long)sender.Times.Count) * _perPush, variant);
        _stopping = true;
        await Task.WhenAll(running);
        foreach (var sender in _senders) sender.Line.CheckSample();
        return Latencies.Join(_senders.Select(sender => sender.Times)).Fill(line) with
        {
            WarmUpSeconds = _options.WarmUp.TotalSeconds,
            Errors = _senders.Sum(sender => sender.Line.Errors),
            EnvelopeBytes = _envelopeBytes,
        };
    }

    /// <inheritdoc />
    public void Dispose() => _senders.ForEach(sender =>
    {
        sender.Line.Dispose();
        sender.Device.Dispose();
    });

    private async Task SendAsync(Sender sender)
    {
        foreach (var frame in sender.Frames)
        {
            if (_stopping) return;
            var begun = Stopwatch.GetTimestamp();
            await sender.Line.PushAsync(frame);
            if (_measuring) sender.Times.Add(begun, Stopwatch.GetTimestamp());
        }

        _exhausted.TrySetResult();
    }

    private sealed record Sender(LoadDevice Device, PushLine Line)
    {
        public List<V1.ClientFrame> Frames { get; } = [];

        public Latencies Times { get; } = new(1 << 14);
    }
}
