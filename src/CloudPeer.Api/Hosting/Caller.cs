using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting;

/// <summary>Who makes a call, once the session is checked.</summary>
internal static class Caller
{
    private static readonly object Key = new();

    /// <summary>The peer whose session the call carries.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.Unauthenticated"/>: no session was checked, so there is no caller.</exception>
    public static PeerId Peer(this ServerCallContext context) =>
        context.UserState.TryGetValue(Key, out var peer) ? (PeerId)peer : throw new TlfsException(Reason.Unauthenticated, "the call needs a session");

    /// <summary>Set once, by the session check.</summary>
    public static void SetPeer(this ServerCallContext context, PeerId peer) => context.UserState[Key] = peer;
}
