using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Sessions;

/// <summary>The two signatures of a session (docs/protocol/session.md §2, §4), the same for both ends.</summary>
public static class SessionProof
{
    /// <summary>Bytes of the client's nonce.</summary>
    public const int NonceBytes = 32;

    /// <summary>Most bytes of a challenge that a client accepts.</summary>
    public const int ChallengeBytes = 256;

    /// <summary>The server's half: it answers this nonce, for this peer.</summary>
    public static byte[] SignAsServer(SigningKey server, PeerId peer, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge) =>
        server.Sign(Label.SessionServerSig, ServerHash(peer, clientNonce, challenge));

    /// <summary>True if the server's half is right.</summary>
    public static bool VerifyServer(PeerId server, PeerId peer, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> signature) =>
        SigningKey.Verify(server, Label.SessionServerSig, ServerHash(peer, clientNonce, challenge), signature);

    /// <summary>The client's half: it means this server and this challenge.</summary>
    public static byte[] SignAsClient(SigningKey peer, PeerId server, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge, ulong micros) =>
        peer.Sign(Label.SessionClientSig, ClientHash(server, clientNonce, challenge, micros));

    /// <summary>True if the client's half is right.</summary>
    public static bool VerifyClient(
        PeerId peer, PeerId server, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge, ulong micros, ReadOnlySpan<byte> signature) =>
        SigningKey.Verify(peer, Label.SessionClientSig, ClientHash(server, clientNonce, challenge, micros), signature);

    private static Bytes32 ServerHash(PeerId peer, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge) =>
        Hashing.Hash(Label.SessionServer, clientNonce, Hashing.Hash(Label.SessionServer, challenge).ToArray(), peer.Value.ToArray());

    private static Bytes32 ClientHash(PeerId server, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge, ulong micros)
    {
        Span<byte> rest = stackalloc byte[Bytes32.Size + sizeof(ulong)];
        Hashing.Hash(Label.SessionServer, challenge).CopyTo(rest);
        BinaryPrimitives.WriteUInt64BigEndian(rest[Bytes32.Size..], micros);
        return Hashing.Hash(Label.SessionClient, server.Value.ToArray(), clientNonce, rest);
    }
}
