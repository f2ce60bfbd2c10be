using System.Diagnostics;

namespace CloudPeer.Bench.Load.Works;

/// <summary>
/// All kinds of load on one server at a time: senders that wait for receipts, an open loop with followers, and a device that reads a long log again and
/// again. Each has its line; what the processes used is that of all together.
/// </summary>
internal static class Mixed
{
    private const int Senders = 16;
    private const int Log = 5_000;

    /// <summary>Runs it and prints its lines.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        using var closed = await ClosedLoop.PrepareAsync(options with { Senders = Senders }, server, perPush: 1);
        using var open = await OpenLoop.PrepareAsync(options, server);
        using var owner = await LoadDevice.RegisterAsync(server.Nodes[0]);
        var document = await LoadDocument.HostAsync(owner);
        await document.FillAsync(owner, Log);
        await open.MeasureAsync(server, options.WarmUp);
        using var stopping = new CancellationTokenSource();
        var reading = Task.Run(() => ReadAsync(owner, document, stopping.Token));
        var pushing = Task.Run(() => closed.MeasureAsync(server, $"{Senders} senders"));
        foreach (var line in await open.MeasureAsync(server, options.WarmUp + options.Measured, "push to receive")) line.Print();
        (await pushing).Print();
        await stopping.CancelAsync();
        var meter = Meter.Start(server, options);
        var (times, envelopes) = await reading;
        times.Fill(meter.Stop(0, $"a log of {Log} read again and again") with { Rate = null, Envelopes = envelopes, Seconds = null }).Print();
    }

    private static async Task<(Latencies Times, long Envelopes)> ReadAsync(LoadDevice device, LoadDocument document, CancellationToken stopping)
    {
        var times = new Latencies();
        var envelopes = 0L;
        while (!stopping.IsCancellationRequested)
        {
            var begun = Stopwatch.GetTimestamp();
            envelopes += await LogReader.ReadAsync(device, document, 0, 0);
            times.Add(begun, Stopwatch.GetTimestamp());
        }

        return (Latencies.Join([times]), envelopes);
    }
}
