using System.Diagnostics;

namespace CloudPeer.Bench.Load.Works;

/// <summary>
/// What an envelope costs in documents of 1,000, 10,000 … envelopes. All are filled first; then each round pushes to and reads from all of them in turn,
/// so that what else happens on the machine falls on all alike.
/// </summary>
internal static class Growth
{
    private const int Smallest = 1_000;
    private const int Pushes = 300;
    private const int Pieces = 10;
    private const int PieceEnvelopes = 512;

    /// <summary>Runs it and prints two lines for each size; the ratio is that of the processor time for an envelope to that of the smallest.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        var cases = new List<Case>();
        using var owner = await LoadDevice.RegisterAsync(server.Nodes[0]);
        for (var size = Smallest; size <= options.Largest; size *= 10)
        {
            var document = await LoadDocument.HostAsync(owner);
            await document.FillAsync(owner, size);
            cases.Add(new(size, document));
        }

        using var line = PushLine.Open(owner, options.Unary);
        for (var round = 0; round <= options.Rounds; round++)
        {
            foreach (var each in cases)
            {
                await PushAsync(options, server, line, each, isWarmUp: round == 0);
                await PullAsync(options, server, owner, each, isWarmUp: round == 0);
            }
        }

        line.CheckSample();
        Print(cases, each => each.Push, "push", line.Errors);
        Print(cases, each => each.Pull, "pull", 0);
    }

    private static async Task PushAsync(LoadOptions options, LoadServer server, PushLine line, Case each, bool isWarmUp)
    {
        V1.ClientFrame[] frames = [.. Enumerable.Range(0, Pushes).Select(_ => each.Document.NextPush(1))];
        var meter = Meter.Start(server, options);
        foreach (var frame in frames)
        {
            var begun = Stopwatch.GetTimestamp();
            await line.PushAsync(frame);
            if (!isWarmUp) each.Push.Times.Add(begun, Stopwatch.GetTimestamp());
        }

        if (!isWarmUp) each.Push.Lines.Add(meter.Stop(Pushes));
    }

    // Pieces all over the log, the same share of it in each size.
    private static async Task PullAsync(LoadOptions options, LoadServer server, LoadDevice device, Case each, bool isWarmUp)
    {
        var meter = Meter.Start(server, options);
        var envelopes = 0L;
        for (var piece = 0; piece < Pieces; piece++)
        {
            var from = (ulong)((long)(each.Size - PieceEnvelopes) * piece / (Pieces - 1));
            var begun = Stopwatch.GetTimestamp();
            envelopes += await LogReader.ReadAsync(device, each.Document, from, from + PieceEnvelopes);
            if (!isWarmUp) each.Pull.Times.Add(begun, Stopwatch.GetTimestamp());
        }

        if (!isWarmUp) each.Pull.Lines.Add(meter.Stop(envelopes));
    }

    private static void Print(List<Case> cases, Func<Case, Series> series, string what, long errors)
    {
        var smallest = Cost(series(cases[0]));
        foreach (var each in cases)
        {
            var (times, lines) = (series(each).Times, series(each).Lines);
            var envelopes = lines.Sum(line => line.Envelopes!.Value);
            var seconds = lines.Sum(line => line.Seconds!.Value);
            Latencies.Join([times]).Fill(lines[^1] with
            {
                Variant = $"{what} at {each.Size}; a time is that of {(what is "push" ? 1 : PieceEnvelopes)}",
                Envelopes = envelopes,
                EnvelopeBytes = each.Document.EnvelopeBytes,
                Seconds = Math.Round(seconds, 3),
                Rate = Math.Round(envelopes / seconds, 1),
                ServerCpuSeconds = Math.Round(lines.Sum(line => line.ServerCpuSeconds!.Value), 2),
                DatabaseCpuSeconds = lines.Sum(line => line.DatabaseCpuSeconds ?? 0) is > 0 and var cpu ? Math.Round(cpu, 2) : null,
                ClientCpuSeconds = Math.Round(lines.Sum(line => line.ClientCpuSeconds!.Value), 2),
                CpuMicrosEach = Math.Round(Cost(series(each)), 1),
                Ratio = smallest > 0 ? Math.Round(Cost(series(each)) / smallest, 2) : null,
                Errors = errors,
            }).Print();
        }
    }

    private static double Cost(Series series) => series.Lines.Sum(line => (line.ServerCpuSeconds + (line.DatabaseCpuSeconds ?? 0)) * 1e6)!.Value
        / series.Lines.Sum(line => line.Envelopes!.Value);

    private sealed record Case(int Size, LoadDocument Document)
    {
        public Series Push { get; } = new();

        public Series Pull { get; } = new();
    }

    private sealed record Series
    {
        public Latencies Times { get; } = new();

        public List<LoadLine> Lines { get; } = [];
    }
}
