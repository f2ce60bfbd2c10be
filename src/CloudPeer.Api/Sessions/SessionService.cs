using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Sessions;

/// <summary>The <c>Session</c> service (docs/protocol/session.md).</summary>
internal sealed class SessionService(SigningKey server, SessionAuthority authority) : V1.Session.SessionBase
{
    public override Task<V1.ChallengeResponse> Challenge(V1.ChallengeRequest request, ServerCallContext context)
    {
        var peer = WireIds.Read<PeerId>(request.Peer, "peer");
        var issued = authority.Challenge(peer, Nonce(request.ClientNonce));
        return Task.FromResult(new V1.ChallengeResponse
        {
            Server = server.Public.ToWire(),
            Challenge = UnsafeByteOperations.UnsafeWrap(issued.Challenge),
            Signature = UnsafeByteOperations.UnsafeWrap(issued.Signature),
        });
    }

    public override Task<V1.OpenResponse> Open(V1.OpenRequest request, ServerCallContext context)
    {
        var peer = WireIds.Read<PeerId>(request.Peer, "peer");
        var token = authority.Open(peer, Nonce(request.ClientNonce), request.Challenge.Span, request.Micros, request.Signature.Span)
            ?? throw new TlfsException(Reason.BadProof, "the challenge is not this server's or too old, or the signature is not the peer's");
        return Task.FromResult(new V1.OpenResponse { Token = token.Token, ExpiresMicros = token.ExpiresMicros });
    }

    private static ReadOnlySpan<byte> Nonce(ByteString nonce) =>
        nonce.Length == SessionProof.NonceBytes
            ? nonce.Span
            : throw new TlfsException(Reason.Malformed, $"client_nonce has {SessionProof.NonceBytes} bytes");
}
