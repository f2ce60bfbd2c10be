using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Sessions;

/// <summary>
/// The client's end of a session (docs/protocol/session.md §1, §3, §4): one attempt with one nonce.
/// </summary>
public sealed class SessionClaim
{
    private readonly SigningKey _device;
    private readonly PeerId? _expected;
    private readonly byte[] _nonce;

    private SessionClaim(SigningKey device, PeerId? expected, byte[] nonce)
    {
        _device = device;
        _expected = expected;
        _nonce = nonce;
    }

    /// <summary>The device that claims.</summary>
    public PeerId Peer => _device.Public;

    /// <summary>The nonce of step 1.</summary>
    public ReadOnlyMemory<byte> Nonce => _nonce;

    /// <summary>Starts an attempt.</summary>
    /// <param name="device">The device's key.</param>
    /// <param name="expected">The pinned server; null only when the server is added for the first time.</param>
    /// <param name="entropy">Makes the nonce.</param>
    public static SessionClaim Start(SigningKey device, PeerId? expected, IEntropy entropy) =>
        new(device, expected, entropy.Bytes(SessionProof.NonceBytes));

    /// <summary>Checks the server's half and signs the client's.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.WrongServer"/>: another server than the expected one, or it does not hold its key.</exception>
    public byte[] Answer(PeerId server, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> signature, ulong micros)
    {
        if (_expected is { } expected && expected != server)
            throw new TlfsException(Reason.WrongServer, $"the server is {server}, but {expected} was added");
        if (challenge.Length > SessionProof.ChallengeBytes || !SessionProof.VerifyServer(server, Peer, _nonce, challenge, signature))
            throw new TlfsException(Reason.WrongServer, $"the server does not prove that it is {server}");
        return SessionProof.SignAsClient(_device, server, _nonce, challenge, micros);
    }
}
