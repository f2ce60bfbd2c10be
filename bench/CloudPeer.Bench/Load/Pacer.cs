using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CloudPeer.Bench.Load;

/// <summary>
/// An open loop's clock: calls at a fixed rate, whether earlier calls are done or not. Times count from when a call was due, so a stall of the server,
/// or of this process, is in the figures of all calls that it delayed (coordinated omission).
/// </summary>
internal static class Pacer
{
    /// <summary>Runs a thread of its own until the last call; timers of the runtime are several milliseconds late.</summary>
    /// <param name="rate">Calls per second.</param>
    /// <param name="calls">How many.</param>
    /// <param name="call">Gets the number of the call and the timestamp at which it was due; must not block.</param>
    public static Task RunAsync(int rate, int calls, Action<int, long> call) => Task.Factory.StartNew(
        () =>
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
            {
                var due = start + (i * Stopwatch.Frequency / rate);
                WaitUntil(due);
                call(i, due);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static void WaitUntil(long due)
    {
        while (due - Stopwatch.GetTimestamp() is var left and > 0) _ = Sleep((uint)(left * 1_000_000 / Stopwatch.Frequency) + 1);
    }

    [DllImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sleep(uint micros);
}
