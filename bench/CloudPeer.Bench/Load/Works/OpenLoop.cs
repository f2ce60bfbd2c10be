using System.Diagnostics;
using System.Threading.Channels;
using Grpc.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Bench.Load.Works;

/// <summary>W2: one device pushes at a fixed rate, many follow. The time is that from when a push was due to when a follower has it.</summary>
internal sealed class OpenLoop : IDisposable
{
    private static readonly TimeSpan ArrivalLimit = TimeSpan.FromSeconds(10);

    private readonly LoadOptions _options;
    private readonly LoadDevice _sender;
    private readonly LoadDocument _document;
    private readonly Follower[] _followers;
    private readonly AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> _stream;

    private OpenLoop(LoadOptions options, LoadDevice sender, LoadDocument document, Follower[] followers)
    {
        _options = options;
        _sender = sender;
        _document = document;
        _followers = followers;
        _stream = sender.Sync.Stream(sender.Options);
    }

    /// <summary>The document that they follow.</summary>
    public DocId Document => _document.Id;

    /// <summary>Connects everybody: the sender at the server's first address, the followers at its last.</summary>
    /// <param name="options">What is asked for.</param>
    /// <param name="server">The server.</param>
    /// <param name="others">More who may read the document.</param>
    public static async Task<OpenLoop> PrepareAsync(LoadOptions options, LoadServer server, params IReadOnlyList<PeerId> others)
    {
        var sender = await LoadDevice.RegisterAsync(server.Nodes[0]);
        SigningKey[] keys = [.. Enumerable.Range(0, options.Subscribers).Select(_ => SigningKey.Generate(SystemEntropy.Instance))];
        var document = await LoadDocument.HostAsync(sender, keys.Select(key => key.Public).Concat(others));
        var devices = await LoadDevice.ManyAsync(keys.Length, i => LoadDevice.ConnectAsync(server.Nodes[^1], keys[i]));
        var followers = await Task.WhenAll(devices.Select(device => Follower.SubscribeAsync(device, document.Id, document.Size)));
        return new(options, sender, document, followers);
    }

    /// <summary>Runs it and prints its lines.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        using var loop = await PrepareAsync(options, server);
        await loop.MeasureAsync(server, options.WarmUp);
        foreach (var line in await loop.MeasureAsync(server, options.Measured)) line.Print();
    }

    /// <summary>Pushes for some time.</summary>
    /// <param name="server">The server.</param>
    /// <param name="time">How long.</param>
    /// <param name="variant">What distinguishes the lines.</param>
    /// <returns>The line of push to receive, and that of push to receipt.</returns>
    public async Task<IReadOnlyList<LoadLine>> MeasureAsync(LoadServer server, TimeSpan time, string? variant = null)
    {
        var first = _document.Size;
        var frames = new V1.ClientFrame[(int)(time.TotalSeconds * _options.Rate)];
        for (var i = 0; i < frames.Length; i++) frames[i] = _document.NextPush(1);
        GC.Collect();
        var due = new long[frames.Length];
        var queue = Channel.CreateUnbounded<V1.ClientFrame>();
        var meter = Meter.Start(server, _options);
        var sending = Task.Run(() => SendAsync(queue.Reader));
        var receipts = Task.Run(() => ReadReceiptsAsync(due));
        await Pacer.RunAsync(_options.Rate, frames.Length, (i, at) =>
        {
            due[i] = at;
            frames[i].Request = (ulong)i + 1;
            queue.Writer.TryWrite(frames[i]);
        });
        queue.Writer.Complete();
        await sending;
        await ArriveAsync();
        var (times, missing) = Arrivals(first, due);
        var line = meter.Stop(times.Count, variant);
        var (receiptTimes, refused) = await receipts;
        line = line with { WarmUpSeconds = _options.WarmUp.TotalSeconds, EnvelopeBytes = _document.EnvelopeBytes, Errors = missing + refused };
        var receiptLine = new LoadLine { Work = line.Work, Store = line.Store, Pinned = line.Pinned, Variant = variant is null ? "receipt" : $"{variant}, receipt" };
        return [times.Fill(line), receiptTimes.Fill(receiptLine with { Envelopes = receiptTimes.Count, Seconds = line.Seconds, Errors = refused })];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var follower in _followers) follower.Dispose();
        _stream.Dispose();
        _sender.Dispose();
    }

    private async Task SendAsync(ChannelReader<V1.ClientFrame> queue)
    {
        await foreach (var frame in queue.ReadAllAsync()) await _stream.RequestStream.WriteAsync(frame);
    }

    private async Task<(Latencies Times, long Refused)> ReadReceiptsAsync(long[] due)
    {
        var times = new Latencies(due.Length);
        var refused = 0L;
        for (var i = 0; i < due.Length; i++)
        {
            if (!await _stream.ResponseStream.MoveNext(CancellationToken.None)) return (times, refused + due.Length - i);
            var frame = _stream.ResponseStream.Current;
            if (frame.Pushed?.Results is not [{ Receipts.Count: 1 }]) refused++;
            times.Add(due[(int)frame.Request - 1], Stopwatch.GetTimestamp());
        }

        return (Latencies.Join([times]), refused);
    }

    // What has not arrived by then counts as an error.
    private async Task ArriveAsync()
    {
        try
        {
            await Task.WhenAll(_followers.Select(follower => follower.ReachAsync(_document.Size))).WaitAsync(ArrivalLimit);
        }
        catch (Exception e) when (e is TimeoutException or RpcException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }
    }

    private (Latencies Times, long Missing) Arrivals(ulong first, long[] due)
    {
        var times = new Latencies(due.Length * _followers.Length);
        var missing = 0L;
        foreach (var follower in _followers)
        {
            for (var i = 0; i < due.Length; i++)
            {
                if (follower.ArrivalOf(first + (ulong)i) is { } at) times.Add(due[i], at);
                else missing++;
            }
        }

        return (Latencies.Join([times]), missing);
    }
}
