using CloudPeer.Sync.Client;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A server that proves its key and then does what a test says, to see what a client makes of it.</summary>
internal sealed class FakeCloudpeer : IAsyncDisposable
{
    private readonly SigningKey _key = SigningKey.Generate(SystemEntropy.Instance);
    private readonly SigningKey _device = SigningKey.Generate(SystemEntropy.Instance);
    private readonly SessionAuthority _authority;
    private WebApplication? _host;

    private FakeCloudpeer() => _authority = new(_key, SystemEntropy.Instance, TimeProvider.System);

    /// <summary>What <c>Sync.Stream</c> does.</summary>
    public Func<IAsyncStreamReader<V1.ClientFrame>, IServerStreamWriter<V1.ServerFrame>, ServerCallContext, Task> Stream { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>What <c>Inbox.Receive</c> does.</summary>
    public Func<IServerStreamWriter<V1.InboxMessage>, ServerCallContext, Task> Receive { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Its key.</summary>
    public PeerId Peer => _key.Public;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<FakeCloudpeer> StartAsync()
    {
        var fake = new FakeCloudpeer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(fake);
        fake._host = builder.Build();
        fake._host.MapGrpcService<Session>();
        fake._host.MapGrpcService<Sync>();
        fake._host.MapGrpcService<Inbox>();
        fake._host.MapGrpcService<Account>();
        await fake._host.StartAsync(Cancel);
        return fake;
    }

    /// <summary>A device's connection to it.</summary>
    public CloudpeerConnection Connect(TimeProvider? time = null) =>
        new(_host!.Urls.Single(), _key.Public, _device, SystemEntropy.Instance, time ?? TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _host!.StopAsync(now.Token);
        await _host.DisposeAsync();
        _authority.Dispose();
        _device.Dispose();
        _key.Dispose();
    }

    private sealed class Session(FakeCloudpeer fake) : V1.Session.SessionBase
    {
        public override Task<V1.ChallengeResponse> Challenge(V1.ChallengeRequest request, ServerCallContext context)
        {
            var issued = fake._authority.Challenge(WireIds.Read<PeerId>(request.Peer, "peer"), request.ClientNonce.Span);
            return Task.FromResult(new V1.ChallengeResponse
            {
                Server = fake._key.Public.ToWire(),
                Challenge = ByteString.CopyFrom(issued.Challenge),
                Signature = ByteString.CopyFrom(issued.Signature),
            });
        }

        public override Task<V1.OpenResponse> Open(V1.OpenRequest request, ServerCallContext context) => Task.FromResult(new V1.OpenResponse { Token = "any" });
    }

    private sealed class Sync(FakeCloudpeer fake) : V1.Sync.SyncBase
    {
        public override Task Stream(IAsyncStreamReader<V1.ClientFrame> requestStream, IServerStreamWriter<V1.ServerFrame> responseStream, ServerCallContext context) =>
            fake.Stream(requestStream, responseStream, context);
    }

    private sealed class Inbox(FakeCloudpeer fake) : V1.Inbox.InboxBase
    {
        public override Task Receive(V1.ReceiveRequest request, IServerStreamWriter<V1.InboxMessage> responseStream, ServerCallContext context) =>
            fake.Receive(responseStream, context);
    }

    private sealed class Account : V1.Account.AccountBase
    {
        public override Task<V1.Entitlement> GetEntitlement(V1.GetEntitlementRequest request, ServerCallContext context) =>
            Task.FromResult(new V1.Entitlement { Account = ByteString.CopyFrom(new byte[32]) });
    }
}
