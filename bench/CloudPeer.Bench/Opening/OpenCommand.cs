using System.Diagnostics;
using System.Globalization;
using CloudPeer.Bench.Compare;
using Tlfs.Client;
using Tlfs.Core.Schema;

namespace CloudPeer.Bench.Opening;

/// <summary>
/// <c>open [ENTRIES]</c>: what it costs to open a document, read one element of it and make one edit, in a process that has never seen it, for 1,000
/// entries and for many. A task is two entries: its title and its being complete.
/// </summary>
internal static class OpenCommand
{
    private const int Small = 1_000;
    private const int Many = 1_000_000;
    private const int PerTransaction = 1_000;
    private const int Edits = 20;

    /// <summary>Runs it; false if the arguments are none of its.</summary>
    public static async Task<bool> RunAsync(IReadOnlyList<string> arguments)
    {
        switch (arguments)
        {
            case []: await CompareAsync(Many); return true;
            case [var entries] when int.TryParse(entries, CultureInfo.InvariantCulture, out var count) && count >= Small: await CompareAsync(count); return true;
            case ["make", var folder, var entries]: await MakeAsync(folder, int.Parse(entries, CultureInfo.InvariantCulture)); return true;
            case ["measure", var folder, var entries]: await MeasureAsync(folder, int.Parse(entries, CultureInfo.InvariantCulture)); return true;
            default: return false;
        }
    }

    private static async Task CompareAsync(int many)
    {
        var folder = Directory.CreateTempSubdirectory("cloudpeer-open-");
        try
        {
            foreach (var entries in new[] { Small, many })
            {
                var home = Path.Combine(folder.FullName, entries.ToString(CultureInfo.InvariantCulture));
                await RunSelfAsync("make", home, entries);
                await RunSelfAsync("measure", home, entries);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Each step in a process of its own: nothing is warm, as for somebody who starts an app.
    private static async Task RunSelfAsync(string step, string home, int entries)
    {
        string[] arguments = [typeof(OpenCommand).Assembly.Location, "open", step, home, entries.ToString(CultureInfo.InvariantCulture)];
        using var process = Process.Start("dotnet", arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"open {step} ended with {process.ExitCode}");
    }

    private static async Task MakeAsync(string home, int entries)
    {
        var started = Stopwatch.GetTimestamp();
        await using var replica = await OpenAsync(home);
        var document = await replica.CreateAsync("todoapp");
        foreach (var some in Enumerable.Range(0, entries / 2).Chunk(PerTransaction))
        {
            await document.EditAsync((Cursor cursor) =>
            {
                foreach (var i in some) cursor["tasks"].Insert(i, new { title = $"task {i}", complete = true });
            });
        }

        Print("make", entries, started);
    }

    private static async Task MeasureAsync(string home, int entries)
    {
        var started = Stopwatch.GetTimestamp();
        await using var replica = await OpenAsync(home);
        var document = (await replica.DocumentsAsync())[0];
        var middle = entries / 4;
        if (!document.ToJson($".tasks[{middle}]").Contains($"task {middle}", StringComparison.Ordinal)) throw new InvalidOperationException("not what was written");
        Print("open-and-read-one", entries, started);
        started = Stopwatch.GetTimestamp();
        await EditAsync(document, middle);
        Print("first-edit", entries, started);

        // The first edit of a process also pays for compiling the code.
        var times = new List<double>();
        for (var i = 1; i <= Edits; i++)
        {
            var before = Stopwatch.GetTimestamp();
            await EditAsync(document, middle + i);
            times.Add(Measurement.Since(before));
        }

        times.Sort();
        new Measurement("cloudpeer", "edit-median", entries) { Milliseconds = times[Edits / 2] }.Print();
    }

    private static Task<EditResult> EditAsync(LocalDocument document, int index) => document.EditAsync((Cursor cursor) => cursor["tasks"][index]["title"].Set("changed"));

    private static Task<LocalFirst> OpenAsync(string home) => LocalFirst.OpenAsync(home, TlfsPackage.Compile(Material.Source));

    private static void Print(string work, int entries, long started) => new Measurement("cloudpeer", work, entries) { Milliseconds = Measurement.Since(started) }.Print();
}
