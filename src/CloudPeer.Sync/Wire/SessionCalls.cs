using CloudPeer.Sync.Sessions;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Wire;

/// <summary>An open session of a client with a server.</summary>
/// <param name="Server">The server, which has proven its key.</param>
/// <param name="Token">The bearer token.</param>
/// <param name="ExpiresMicros">When new calls need a new one, microseconds since 1970 by the server's clock.</param>
public sealed record ClientSession(PeerId Server, string Token, ulong ExpiresMicros)
{
    /// <summary>The metadata that every other call carries.</summary>
    public Metadata Metadata => new() { { "authorization", "Bearer " + Token } };

    /// <summary>Never the token.</summary>
    public override string ToString() => $"session with {Server} until {ExpiresMicros}";
}

/// <summary>Runs docs/protocol/session.md §1-§5 from a client.</summary>
public static class SessionCalls
{
    /// <summary>Opens a session.</summary>
    /// <param name="client">A client of the server's <c>Session</c> service.</param>
    /// <param name="device">The device's key.</param>
    /// <param name="expected">The pinned server; null only when it is added for the first time.</param>
    /// <param name="entropy">Makes the nonce.</param>
    /// <param name="clock">The device's clock.</param>
    /// <param name="options">Deadline and cancellation of both calls.</param>
    /// <exception cref="Tlfs.Core.TlfsException"><c>wrong-server</c>.</exception>
    /// <exception cref="RpcException">The call failed or was refused; see <see cref="Refusals.FromRpc"/>.</exception>
    public static async Task<ClientSession> OpenAsync(
        V1.Session.SessionClient client, SigningKey device, PeerId? expected, IEntropy entropy, TimeProvider clock, CallOptions options = default)
    {
        var claim = SessionClaim.Start(device, expected, entropy);
        var nonce = claim.Nonce.ToWire();
        var peer = claim.Peer.ToWire();
        var issued = await client.ChallengeAsync(new() { Peer = peer, ClientNonce = nonce }, options).ConfigureAwait(false);

        var server = WireIds.Read<PeerId>(issued.Server, "the server's id");
        var micros = clock.Micros();
        var signature = claim.Answer(server, issued.Challenge.Span, issued.Signature.Span, micros);
        var request = new V1.OpenRequest
        {
            Peer = peer,
            ClientNonce = nonce,
            Challenge = issued.Challenge,
            Micros = micros,
            Signature = UnsafeByteOperations.UnsafeWrap(signature),
        };
        var opened = await client.OpenAsync(request, options).ConfigureAwait(false);
        return new(server, opened.Token, opened.ExpiresMicros);
    }
}
