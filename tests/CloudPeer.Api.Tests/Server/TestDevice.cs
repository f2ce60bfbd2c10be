using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>A device with an account and a session at a server.</summary>
public sealed class TestDevice : IDisposable
{
    private readonly TestServer _server;
    private ClientSession? _session;

    private TestDevice(TestServer server, IEntropy entropy)
    {
        _server = server;
        Key = SigningKey.Generate(entropy);
        Kem = KemKey.Generate(entropy);
        Card = MakeCard(entropy, Key, Kem, 1);
    }

    public SigningKey Key { get; }

    public KemKey Kem { get; }

    public AccountCard Card { get; }

    public PeerId Peer => Key.Public;

    public ClientSession Session => _session ?? throw new InvalidOperationException("the device has no session");

    public V1.Sync.SyncClient Sync => new(_server.Channel);

    public V1.Account.AccountClient Accounts => new(_server.Channel);

    public V1.Keys.KeysClient Keys => new(_server.Channel);

    public V1.Inbox.InboxClient Inbox => new(_server.Channel);

    /// <summary>What every call carries.</summary>
    public CallOptions Options => new(Session.Metadata, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>A device with a session.</summary>
    public static async Task<TestDevice> ConnectAsync(TestServer server)
    {
        var device = new TestDevice(server, SystemEntropy.Instance);
        await device.OpenSessionAsync();
        return device;
    }

    /// <summary>A device with a session whose account is a tenant.</summary>
    public static async Task<TestDevice> RegisterAsync(TestServer server)
    {
        var device = await ConnectAsync(server);
        await device.Accounts.CreateAsync(new() { Card = device.Card.Bytes.ToWire() }, device.Options);
        return device;
    }

    public async Task OpenSessionAsync() => _session = await SessionCalls.OpenAsync(
        new(_server.Channel), Key, _server.Peer, SystemEntropy.Instance, _server.Clock, new(cancellationToken: TestContext.Current.CancellationToken));

    public void Dispose()
    {
        Key.Dispose();
        Kem.Dispose();
    }

    /// <summary>A card of a new account with this device.</summary>
    public static AccountCard MakeCard(IEntropy entropy, SigningKey device, KemKey kem, uint generation) => AccountCards.Make(entropy, device, kem, generation);

    /// <summary>Microseconds of the server's clock.</summary>
    public ulong Now => _server.Clock.Micros();
}

/// <summary>What a failed call says.</summary>
public static class Refused
{
    public static async Task<Reason> ReasonAsync(Func<Task> call) => (await RefusalAsync(call)).Reason;

    public static async Task<Sync.Relay.Refusal> RefusalAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(call);
        var refusal = Refusals.FromRpc(failure);
        if (GrpcStatuses.Of(refusal.Reason) is { } status) Assert.Equal(status, failure.StatusCode);
        return refusal;
    }

    /// <summary>All streams of a server that stopped said when to come back.</summary>
    public static void AssertToldToComeBack(IEnumerable<Sync.Relay.Refusal> endings) => Assert.All(endings, ending =>
    {
        Assert.Equal(Reason.Unavailable, ending.Reason);
        Assert.InRange(ending.RetryAfter ?? TimeSpan.Zero, RetrySpread.Least, RetrySpread.Most);
    });
}
