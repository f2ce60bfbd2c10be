using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Grpc.Net.Client;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Bench.Load;

/// <summary>A device with a session and a connection of its own, as one in the world has. It speaks the generated client, which is cheaper than ours.</summary>
internal sealed class LoadDevice : IDisposable
{
    private const int FrameBytes = 5 << 20;
    private static readonly TimeSpan SessionLimit = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel _channel;
    private readonly ClientSession _session;

    private LoadDevice(SigningKey key, LoadTarget target, GrpcChannel channel, ClientSession session)
    {
        Key = key;
        Target = target;
        _channel = channel;
        _session = session;
        Sync = new(channel);
    }

    /// <summary>The device's key, which it owns.</summary>
    public SigningKey Key { get; }

    /// <summary>The server.</summary>
    public LoadTarget Target { get; }

    /// <summary>The service.</summary>
    public V1.Sync.SyncClient Sync { get; }

    /// <summary>What every call carries.</summary>
    public CallOptions Options => new(_session.Metadata);

    /// <summary>Connects a device and opens its session.</summary>
    /// <param name="target">The server.</param>
    /// <param name="key">The device's key; a new one if null.</param>
    public static async Task<LoadDevice> ConnectAsync(LoadTarget target, SigningKey? key = null)
    {
        var device = key ?? SigningKey.Generate(SystemEntropy.Instance);
        var channel = GrpcChannel.ForAddress(target.GrpcUrl, new()
        {
            HttpHandler = new SocketsHttpHandler(),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameBytes,
            MaxSendMessageSize = FrameBytes,
        });
        try
        {
            var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().Add(SessionLimit).UtcDateTime);
            var session = await SessionCalls.OpenAsync(new(channel), device, target.Peer, SystemEntropy.Instance, TimeProvider.System, options);
            return new(device, target, channel, session);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>Connects a device whose account may host documents.</summary>
    public static async Task<LoadDevice> RegisterAsync(LoadTarget target)
    {
        var device = await ConnectAsync(target);
        using var kem = KemKey.Generate(SystemEntropy.Instance);
        var card = AccountCards.Make(SystemEntropy.Instance, device.Key, kem);
        await new V1.Account.AccountClient(device._channel).CreateAsync(new() { Card = card.Bytes.ToWire() }, device.Options);
        return device;
    }

    /// <summary>Connects many, some of them at a time.</summary>
    public static async Task<LoadDevice[]> ManyAsync(int count, Func<int, Task<LoadDevice>> connect)
    {
        const int atATime = 16;
        var devices = new LoadDevice[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = atATime }, async (i, _) => devices[i] = await connect(i));
        return devices;
    }

    /// <summary>Pushes by a unary call, while nothing is measured.</summary>
    /// <exception cref="InvalidOperationException">The server refused it.</exception>
    public async Task PushAsync(DocId document, IEnumerable<ReadOnlyMemory<byte>> bundle)
    {
        var request = new V1.PushRequest { Document = document.ToWire(), Bundles = { new V1.Bundle { Envelopes = { bundle.Select(bytes => bytes.ToWire()) } } } };
        var response = await Sync.PushAsync(request, Options);
        if (response.Results.Count != 1 || response.Results[0].Refusal is not null)
            throw new InvalidOperationException($"the server refused what the work needs: {response.Results.FirstOrDefault()?.Refusal}");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _channel.Dispose();
        Key.Dispose();
    }
}
