using Spectre.Console;
using Tlfs.Cli.Running;
using Tlfs.Client;

namespace Tlfs.Cli.Commands;

/// <summary>Shows on a terminal that synchronising goes on, and how far it got; writes nothing anywhere else.</summary>
internal static class SyncProgress
{
    /// <summary>Runs the work and shows its progress on standard error.</summary>
    public static Task<IReadOnlyList<SyncResult>> RunAsync(Printer print, Func<IProgress<SyncResult>?, Task<IReadOnlyList<SyncResult>>> work) =>
        print.ShowsProgress ? ShowAsync(print, work) : work(null);

    // Apart from RunAsync, so that a run in a pipe never loads the console library.
    private static Task<IReadOnlyList<SyncResult>> ShowAsync(Printer print, Func<IProgress<SyncResult>?, Task<IReadOnlyList<SyncResult>>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(print.Error) });
        return console.Progress().AutoClear(enabled: true).HideCompleted(enabled: true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn())
            .StartAsync(context =>
            {
                var bar = context.AddTask("Synchronising").IsIndeterminate();
                return work(new Counter(bar));
            });
    }

    private sealed class Counter(ProgressTask bar) : IProgress<SyncResult>
    {
        private int _sent;
        private int _received;

        public void Report(SyncResult value)
        {
            var sent = Interlocked.Add(ref _sent, value.Pushed);
            var received = Interlocked.Add(ref _received, value.Pulled);
            bar.Description = $"Synchronising: sent {sent}, received {received}";
        }
    }
}
