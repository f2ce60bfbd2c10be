using Grpc.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Bench.Load.Works;

/// <summary>
/// W2 without and with readers that do not read, in one run. Each of them is subscribed to a log that is longer than its window and to the document that
/// the others follow, so the server always has something to send to it and never can.
/// </summary>
internal static class SlowReaders
{
    private const int Log = 5_000;

    /// <summary>Runs it and prints its lines; the last one has the ratio.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        SigningKey[] keys = [.. Enumerable.Range(0, options.SlowReaders).Select(_ => SigningKey.Generate(SystemEntropy.Instance))];
        using var owner = await LoadDevice.RegisterAsync(server.Nodes[0]);
        var document = await LoadDocument.HostAsync(owner, keys.Select(key => key.Public));
        await document.FillAsync(owner, Log);
        using var loop = await OpenLoop.PrepareAsync(options, server, [.. keys.Select(key => key.Public)]);
        await loop.MeasureAsync(server, options.WarmUp);
        var without = (await loop.MeasureAsync(server, options.Measured, "without slow readers"))[0];
        without.Print();
        var devices = await LoadDevice.ManyAsync(keys.Length, i => LoadDevice.ConnectAsync(server.Nodes[^1], keys[i]));
        var streams = new List<AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame>>();
        try
        {
            foreach (var device in devices) streams.Add(await Follower.StallAsync(device, document.Id, loop.Document));
            await loop.MeasureAsync(server, options.WarmUp);
            var with = (await loop.MeasureAsync(server, options.Measured, $"with {keys.Length} slow readers; ratio of p99"))[0];
            (with with { Ratio = without.P99 is > 0 ? Math.Round(with.P99!.Value / without.P99.Value, 2) : null }).Print();
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
            foreach (var device in devices) device.Dispose();
        }
    }
}
