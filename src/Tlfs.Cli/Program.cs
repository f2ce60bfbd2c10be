using System.Runtime.InteropServices;
using Tlfs.Cli.Running;

// The first Ctrl-C or SIGTERM asks the work to stop, the second one ends the process.
using var interruption = new CancellationTokenSource();
void OnSignal(PosixSignalContext context)
{
    if (interruption.IsCancellationRequested) return;
    context.Cancel = true;
    interruption.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
return await Tool.RunAsync(args, Streams.OfProcess(), TimeProvider.System, interruption.Token);
