using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using CloudPeer.Bench;
using CloudPeer.Bench.Compare;
using CloudPeer.Bench.Load;
using CloudPeer.Bench.Opening;

switch (args)
{
    case ["compare", .. var rest]: return await CompareCommand.RunAsync(rest) ? 0 : Usage();
    case ["reconcile", .. var rest]: return ReconcileReport.Run(rest);
    case ["load", .. var rest]: return await LoadCommand.RunAsync(rest) ? 0 : Usage();
    case ["load-table", .. var rest]: return LoadTable.Run(rest) ? 0 : Usage();
    case ["open", .. var rest]: return await OpenCommand.RunAsync(rest) ? 0 : Usage();
}

// In this process: no project is generated and restored behind the build's back, so the numbers are those of the code that CI built.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(SealingBenchmarks).Assembly).Run(args, config);
return 0;

static int Usage()
{
    Console.Error.WriteLine("usage: open [ENTRIES]; reconcile [IDS [DIFFERENCES]]; load WORK [OPTIONS]; load-table FILE; compare ENGINE PHASE TASKS FOLDER; or the arguments of BenchmarkDotNet (bench/README.md)");
    return 2;
}
