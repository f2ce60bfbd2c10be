using System.Diagnostics;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench.Load.Works;

/// <summary>
/// W3: a device connects for which many envelopes wait. Receiving them is timed from the request to the head that ends them; checking them, which is the
/// client's own work, apart.
/// </summary>
internal static class Backlog
{
    /// <summary>Runs it and prints its lines: the whole, and the connecting before it.</summary>
    public static async Task RunAsync(LoadOptions options, LoadServer server)
    {
        using var owner = await LoadDevice.RegisterAsync(server.Nodes[0]);
        SigningKey[] keys = [.. Enumerable.Range(0, options.Rounds + 1).Select(_ => SigningKey.Generate(SystemEntropy.Instance))];
        var document = await LoadDocument.HostAsync(owner, keys.Select(key => key.Public));
        await document.FillAsync(owner, options.Backlog);
        Latencies pulls = new(), connects = new();
        var errors = 0L;
        var warm = await WarmUpAsync(options, server, keys[0], document);
        GC.Collect();
        var meter = Meter.Start(server, options);
        for (var round = 1; round < keys.Length; round++)
        {
            var log = await PullAsync(options, server, keys[round], document, pulls, connects);
            errors += Math.Abs((long)document.Size - log.Envelopes.Count);
        }

        var line = meter.Stop((long)document.Size * options.Rounds) with { EnvelopeBytes = document.EnvelopeBytes };
        var started = Stopwatch.GetTimestamp();
        if (!Verify(warm, owner.Target.Peer)) errors++;
        var verified = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        pulls = Latencies.Join([pulls]);
        pulls.Fill(line with { Errors = errors, ClientVerifyMs = Math.Round(verified), Rate = Math.Round(1000 * document.Size / pulls.Percentile(0.5)!.Value) }).Print();
        Latencies.Join([connects]).Fill(new() { Work = options.Work, Store = options.Store, Variant = "connect and open a session", Pinned = options.Pin }).Print();
    }

    // A server that has run for a while has compiled what it does.
    private static async Task<Log> WarmUpAsync(LoadOptions options, LoadServer server, SigningKey key, LoadDocument document)
    {
        var started = Stopwatch.GetTimestamp();
        using var device = await LoadDevice.ConnectAsync(server.Nodes[^1], key);
        Log log;
        do log = await PullAsync(options, device, document);
        while (Stopwatch.GetElapsedTime(started) < options.WarmUp);
        return log;
    }

    private static async Task<Log> PullAsync(
        LoadOptions options, LoadServer server, SigningKey key, LoadDocument document, Latencies pulls, Latencies connects)
    {
        var started = Stopwatch.GetTimestamp();
        using var device = await LoadDevice.ConnectAsync(server.Nodes[^1], key);
        var connected = Stopwatch.GetTimestamp();
        connects.Add(started, connected);
        var log = await PullAsync(options, device, document);
        pulls.Add(connected, Stopwatch.GetTimestamp());
        return log;
    }

    private static async Task<Log> PullAsync(LoadOptions options, LoadDevice device, LoadDocument document)
    {
        var log = new Log(document.Id);
        await (options.Unary ? log.PullAsync(device) : log.SubscribeAsync(device));
        return log;
    }

    // What a device does with a log: decode, check each signature, compute the root, compare it with the signed head.
    private static bool Verify(Log log, PeerId server)
    {
        var range = CompactRange.Empty;
        foreach (var bytes in log.Envelopes)
        {
            if (!Envelope.TryDecode(bytes.Memory, out var envelope, out _) || !envelope.VerifySignature()) return false;
            range = range.Append(envelope.Id);
        }

        return log.Head is { } head && WireLog.Read(head) is var signed && signed.Verify() && signed.Server == server
            && (signed.Size, signed.Root) == (range.Size, range.Root);
    }

    private sealed class Log(DocId document)
    {
        public List<ByteString> Envelopes { get; } = [];

        public V1.LogHead? Head { get; private set; }

        public async Task PullAsync(LoadDevice device)
        {
            using var call = device.Sync.Pull(new() { Document = document.ToWire() }, device.Options);
            while (Head is null && await call.ResponseStream.MoveNext(CancellationToken.None)) Take(call.ResponseStream.Current.Entries, call.ResponseStream.Current.CaughtUp);
        }

        public async Task SubscribeAsync(LoadDevice device)
        {
            using var stream = device.Sync.Stream(device.Options);
            await stream.RequestStream.WriteAsync(new() { Request = 1, Subscribe = new() { Document = document.ToWire() } });
            while (Head is null && await stream.ResponseStream.MoveNext(CancellationToken.None)) Take(stream.ResponseStream.Current.Entries, stream.ResponseStream.Current.CaughtUp);
        }

        private void Take(V1.Entries? entries, V1.LogHead? head)
        {
            if (entries is not null) Envelopes.AddRange(entries.Entries_.Select(entry => entry.Envelope));
            Head = head;
        }
    }
}
