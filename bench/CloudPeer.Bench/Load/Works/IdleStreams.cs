using Tlfs.Core.Crypto;

namespace CloudPeer.Bench.Load.Works;

/// <summary>
/// W4: devices that are subscribed while nothing happens, each over a connection of its own. The server's memory is read when it has settled, before
/// and after, and for the second half alone, since the room that the collector takes comes with the first; a hundred documents are shared by all, so that
/// streams are measured and not documents.
/// </summary>
internal static class IdleStreams
{
    private const int Documents = 100;
    private const int WarmUp = 200;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    /// <summary>Runs it and prints its lines.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        SigningKey[] keys = [.. Enumerable.Range(0, options.Streams + WarmUp).Select(_ => SigningKey.Generate(SystemEntropy.Instance))];
        using var owner = await LoadDevice.RegisterAsync(server.Nodes[0]);
        var documents = new LoadDocument[Documents];
        for (var i = 0; i < Documents; i++) documents[i] = await LoadDocument.HostAsync(owner, keys.Where((_, key) => key % Documents == i).Select(key => key.Public));

        // Code is compiled and buffers are made by streams that do not count.
        var followers = await OpenAsync(server, documents, keys, 0, WarmUp);
        await Task.Delay(Settling, TimeProvider.System);
        var before = server.Use.ResidentBytes;
        var meter = Meter.Start(server, options);
        var half = options.Streams / 2;
        followers.AddRange(await OpenAsync(server, documents, keys, WarmUp, half));
        await Task.Delay(Settling, TimeProvider.System);
        var middle = server.Use.ResidentBytes;
        followers.AddRange(await OpenAsync(server, documents, keys, WarmUp + half, options.Streams - half));
        Print("opened", server.Use.ResidentBytes);
        await Task.Delay(Settling, TimeProvider.System);
        Print("each of the second half", before + (server.Use.ResidentBytes - middle) * options.Streams / (options.Streams - half));
        Print("10 s later", server.Use.ResidentBytes);
        await Task.Delay(Settling * 2, TimeProvider.System);
        Print("30 s later", server.Use.ResidentBytes);
        followers.ForEach(follower => follower.Dispose());

        void Print(string variant, long resident) => (meter.Stop(0, variant) with
        {
            Rate = null,
            Envelopes = null,
            BytesEach = Math.Round((double)(resident - before) / options.Streams),
        }).Print();
    }

    private static async Task<List<Follower>> OpenAsync(LoadServer server, LoadDocument[] documents, SigningKey[] keys, int first, int count)
    {
        var devices = await LoadDevice.ManyAsync(count, i => LoadDevice.ConnectAsync(server.Nodes[^1], keys[first + i]));
        return [.. await Task.WhenAll(devices.Select((device, i) =>
        {
            var document = documents[(first + i) % documents.Length];
            return Follower.SubscribeAsync(device, document.Id, document.Size);
        }))];
    }
}
