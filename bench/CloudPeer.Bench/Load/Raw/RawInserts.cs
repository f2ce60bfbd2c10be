using System.Diagnostics;
using System.Globalization;
using CloudPeer.Bench.Load.Works;
using CloudPeer.TestKit;

namespace CloudPeer.Bench.Load.Raw;

/// <summary>What the database does alone with the same rows, what one core does of signatures alone, and W1a and W1b against the database, in one run.</summary>
internal static class RawInserts
{
    /// <summary>Runs it and prints its lines.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        await SignaturesAsync(options, server);
        var best = options.Store is "postgres" ? await PostgresAsync(options, server) : await SqliteAsync(options, server);
        foreach (var perPush in new[] { 1, 8 })
        {
            using var loop = await ClosedLoop.PrepareAsync(options, server, perPush);
            var line = await loop.MeasureAsync(server, string.Create(CultureInfo.InvariantCulture, $"relay, {perPush} a push; ratio to the fastest raw"));
            (line with { Ratio = Math.Round(line.Rate!.Value / best, 3) }).Print();
        }
    }

    // Nothing is stored without this, so it is the least that a push can cost.
    private static Task<double> SignaturesAsync(LoadOptions options, LoadServer server)
    {
        const int AtOnce = 64;
        var rows = new RawRows();
        return MeasureAsync(options with { Store = "sqlite" }, server, AtOnce, "signatures verified by one core", rows.EnvelopeBytes, () =>
        {
            for (var i = 0; i < AtOnce; i++) rows.Verify();
            return Task.CompletedTask;
        });
    }

    private static async Task<double> PostgresAsync(LoadOptions options, LoadServer server)
    {
        await using var raw = await RawPostgres.OpenAsync(server.Database?.ConnectionString ?? throw Unknown());
        var best = 0.0;
        foreach (var rows in new[] { 1_000, 64, 1 })
        {
            var variant = rows == 1 ? "single rows" : string.Create(CultureInfo.InvariantCulture, $"unnest of {rows}");
            best = Math.Max(best, await MeasureAsync(options, server, rows, variant, raw.EnvelopeBytes, () => raw.InsertAsync(rows)));
        }

        return best;
    }

    private static async Task<double> SqliteAsync(LoadOptions options, LoadServer server)
    {
        if (options.Url is not null || server.SqliteFile is not { } model) throw Unknown();
        using var folder = new TempFolder("raw");
        await using var raw = await RawSqlite.OpenAsync(model, folder.File("raw.db"));
        return await MeasureAsync(options, server, 100, "FULL, batches of 100", raw.EnvelopeBytes, () => raw.InsertAsync(100));
    }

    private static async Task<double> MeasureAsync(LoadOptions options, LoadServer server, int rows, string variant, int bytes, Func<Task> insert)
    {
        await ForAsync(options.WarmUp, insert);
        var meter = Meter.Start(server, options);
        var times = await ForAsync(options.Measured, insert);
        var line = times.Fill(meter.Stop((long)times.Count * rows, variant)) with { WarmUpSeconds = options.WarmUp.TotalSeconds, EnvelopeBytes = bytes };
        // SQLite's work is done in this process, together with making the rows.
        if (options.Store is "sqlite") line = line with { CpuMicrosEach = null };
        line.Print();
        return line.Rate!.Value;
    }

    private static async Task<Latencies> ForAsync(TimeSpan time, Func<Task> insert)
    {
        var times = new Latencies();
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < time;)
        {
            var begun = Stopwatch.GetTimestamp();
            await insert();
            times.Add(begun, Stopwatch.GetTimestamp());
        }

        return Latencies.Join([times]);
    }

    private static InvalidOperationException Unknown() => new("raw needs a server that is started here");
}
