using CloudPeer.Sync.Sessions;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting;

/// <summary>Checks the signatures of calls that destroy something (docs/protocol/session.md).</summary>
internal sealed class SignedCalls(SigningKey server, CallLimiter limiter, TimeProvider clock)
{
    /// <summary>Returns if the calling device has signed the request a moment ago.</summary>
    /// <param name="context">The call.</param>
    /// <param name="method">Its method, as <see cref="SignedRequest"/> names it.</param>
    /// <param name="micros">The request's time.</param>
    /// <param name="canonical">What of it is signed.</param>
    /// <param name="signature">The signature.</param>
    /// <exception cref="TlfsException"><see cref="Reason.BadProof"/>.</exception>
    public void Verify(ServerCallContext context, string method, ulong micros, byte[] canonical, ByteString signature)
    {
        var peer = context.Peer();
        if (SignedRequest.Verify(peer, server.Public, method, micros, canonical, signature.Span, clock.GetUtcNow())) return;
        limiter.CountBadSignature(peer);
        throw new TlfsException(Reason.BadProof, "the request's signature is wrong, or its time is more than five minutes from the server's");
    }
}
