using System.Buffers.Binary;
using System.Buffers.Text;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Sessions;

/// <summary>What the server answers to a client's nonce.</summary>
/// <param name="Challenge">Opaque to the client.</param>
/// <param name="Signature">The server's half of the proof.</param>
public readonly record struct IssuedChallenge(byte[] Challenge, byte[] Signature);

/// <summary>A token and its end.</summary>
/// <param name="Token">Text for <c>authorization: Bearer …</c>.</param>
/// <param name="ExpiresMicros">Microseconds since 1970.</param>
public readonly record struct IssuedToken(string Token, ulong ExpiresMicros)
{
    /// <summary>Never the token.</summary>
    public override string ToString() => $"token until {ExpiresMicros}";
}

/// <summary>
/// The server's end of a session (docs/protocol/session.md §2, §5, §6). It keeps no state: challenge and token carry a MAC under
/// a key derived from the server's seed, so every node of one server accepts what another one issued.
/// </summary>
public sealed class SessionAuthority : IDisposable
{
    /// <summary>How long a challenge may be answered.</summary>
    public static readonly TimeSpan ChallengeLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How long a token is good for new calls.</summary>
    public static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(15);

    // The first byte keeps the two apart: a challenge is never a token.
    private const byte ChallengeKind = 1, TokenKind = 2;
    private const int RandomBytes = 16;
    private const int ChallengeSize = 1 + sizeof(ulong) + RandomBytes + Bytes32.Size;
    private const int TokenSize = 1 + sizeof(ulong) + Bytes32.Size + Bytes32.Size;

    private readonly SigningKey _server;
    private readonly SecretKey _macKey;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _clock;

    /// <summary>An authority that speaks for one server.</summary>
    /// <param name="server">The server's key; the caller keeps and disposes it.</param>
    /// <param name="entropy">Makes challenges unpredictable.</param>
    /// <param name="clock">Decides when challenges and tokens end.</param>
    public SessionAuthority(SigningKey server, IEntropy entropy, TimeProvider clock)
    {
        _server = server;
        _macKey = server.Derive(Label.SessionMac);
        _entropy = entropy;
        _clock = clock;
    }

    /// <summary>Answers step 1.</summary>
    public IssuedChallenge Challenge(PeerId peer, ReadOnlySpan<byte> clientNonce)
    {
        var challenge = new byte[ChallengeSize];
        challenge[0] = ChallengeKind;
        BinaryPrimitives.WriteUInt64BigEndian(challenge.AsSpan(1), (_clock.GetUtcNow() + ChallengeLifetime).ToMicros());
        _entropy.Fill(challenge.AsSpan(1 + sizeof(ulong), RandomBytes));
        Mac(challenge.AsSpan(0, ChallengeSize - Bytes32.Size), peer, clientNonce).CopyTo(challenge.AsSpan(ChallengeSize - Bytes32.Size));
        return new(challenge, SessionProof.SignAsServer(_server, peer, clientNonce, challenge));
    }

    /// <summary>Checks step 4 and gives a token; null when the challenge is not this server's, is too old, or the proof is wrong.</summary>
    public IssuedToken? Open(PeerId peer, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> challenge, ulong micros, ReadOnlySpan<byte> signature)
    {
        if (!IsOwn(challenge, ChallengeSize, ChallengeKind, peer, clientNonce)) return null;
        return SessionProof.VerifyClient(peer, _server.Public, clientNonce, challenge, micros, signature) ? Issue(peer) : null;
    }

    /// <summary>The peer that a token proves; null when it is not this server's or has ended.</summary>
    public PeerId? Authenticate(ReadOnlySpan<char> token)
    {
        Span<byte> bytes = stackalloc byte[TokenSize];
        // The decoder throws over letters that are not of the alphabet.
        if (token.Length != Base64Url.GetEncodedLength(TokenSize) || !Base64Url.IsValid(token)) return null;
        if (!Base64Url.TryDecodeFromChars(token, bytes, out var written) || written != TokenSize) return null;
        var peer = Id.From<PeerId>(bytes.Slice(1 + sizeof(ulong), Bytes32.Size));
        return IsOwn(bytes, TokenSize, TokenKind, peer, default) ? peer : null;
    }

    /// <inheritdoc />
    public void Dispose() => _macKey.Dispose();

    private IssuedToken Issue(PeerId peer)
    {
        Span<byte> token = stackalloc byte[TokenSize];
        var expires = (_clock.GetUtcNow() + TokenLifetime).ToMicros();
        token[0] = TokenKind;
        BinaryPrimitives.WriteUInt64BigEndian(token[1..], expires);
        peer.Value.CopyTo(token[(1 + sizeof(ulong))..]);
        Mac(token[..(TokenSize - Bytes32.Size)], peer, default).CopyTo(token[(TokenSize - Bytes32.Size)..]);
        return new(Base64Url.EncodeToString(token), expires);
    }

    private bool IsOwn(ReadOnlySpan<byte> bytes, int size, byte kind, PeerId peer, ReadOnlySpan<byte> clientNonce)
    {
        if (bytes.Length != size || bytes[0] != kind) return false;
        var mac = new Bytes32(bytes[(size - Bytes32.Size)..]);
        return Hashing.FixedTimeEquals(mac, Mac(bytes[..(size - Bytes32.Size)], peer, clientNonce))
            && _clock.Micros() < BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]);
    }

    // Both bodies have a fixed length, so the concatenation has one reading.
    private Bytes32 Mac(ReadOnlySpan<byte> body, PeerId peer, ReadOnlySpan<byte> clientNonce) =>
        Hashing.Mac(_macKey, [.. body, .. peer.Value.ToArray(), .. clientNonce]);
}
