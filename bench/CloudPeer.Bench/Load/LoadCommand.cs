using CloudPeer.Bench.Load.Raw;
using CloudPeer.Bench.Load.Works;

namespace CloudPeer.Bench.Load;

/// <summary><c>load WORK [options]</c>: puts a server under load and prints what it measured, a JSON line each (bench/README.md).</summary>
internal static class LoadCommand
{
    /// <summary>Runs it; false if the arguments are none of its.</summary>
    public static async Task<bool> RunAsync(IReadOnlyList<string> arguments)
    {
        if (!LoadOptions.TryParse(arguments, out var options)) return false;
        Func<LoadServer, Task>? work = options.Work switch
        {
            "W1a" => server => ClosedLoop.RunAsync(options, server, perPush: 1),
            "W1b" => server => ClosedLoop.RunAsync(options, server, perPush: 8),
            "W2" or "nodes" => server => OpenLoop.RunAsync(options, server),
            "W3" => server => Backlog.RunAsync(options, server),
            "W4" => server => IdleStreams.RunAsync(options, server),
            "mixed" => server => Mixed.RunAsync(options, server),
            "slow" => server => SlowReaders.RunAsync(options, server),
            "growth" => server => Growth.RunAsync(options, server),
            "raw" => server => RawInserts.RunAsync(options, server),
            _ => null,
        };
        if (work is null) return false;
        await using var server = await LoadServer.StartAsync(options, nodes: options.Work is "nodes" ? 2 : 1);
        await work(server);
        return true;
    }
}
