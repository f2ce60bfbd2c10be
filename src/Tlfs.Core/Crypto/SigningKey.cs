using Geralt;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crypto;

/// <summary>An Ed25519 signing key of a device, server or document authority (docs/protocol/encoding.md §3.3).</summary>
public sealed class SigningKey : IDisposable
{
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureSize = Ed25519.SignatureSize;

    private readonly SecretKey _private;
    private readonly SecretKey _seed;

    /// <summary>The key that belongs to a 32-byte seed.</summary>
    public SigningKey(ReadOnlySpan<byte> seed)
    {
        Span<byte> publicKey = stackalloc byte[Ed25519.PublicKeySize];
        Span<byte> privateKey = stackalloc byte[Ed25519.PrivateKeySize];
        Ed25519.GenerateKeyPair(publicKey, privateKey, seed);
        Public = new(new Bytes32(publicKey));
        _private = new(privateKey);
        _seed = new(seed);
        SecureMemory.ZeroMemory(privateKey);
    }

    /// <summary>A new random key.</summary>
    public static SigningKey Generate(IEntropy entropy)
    {
        using var seed = SecretKey.Random(entropy);
        return new(seed.Bytes);
    }

    /// <summary>The public key.</summary>
    public PeerId Public { get; }

    /// <summary>The seed, to be stored where keys are stored.</summary>
    public ReadOnlySpan<byte> Seed => _seed.Bytes;

    /// <summary><c>Sign_L(hash)</c>: 64 bytes.</summary>
    public byte[] Sign(Label label, Bytes32 hash)
    {
        var signature = new byte[SignatureSize];
        Ed25519.Sign(signature, label.Prefix(hash.ToArray()), _private.Bytes);
        return signature;
    }

    /// <summary>A symmetric key that only the holder of this key can derive.</summary>
    public SecretKey Derive(Label label) => Hashing.Derive(label, _seed.Bytes, default);

    /// <summary>Checks a signature by libsodium's rules; false for any other length.</summary>
    public static bool Verify(PeerId signer, Label label, Bytes32 hash, ReadOnlySpan<byte> signature) =>
        signature.Length == SignatureSize && Ed25519.Verify(signature, label.Prefix(hash.ToArray()), signer.Value.ToArray());

    /// <inheritdoc />
    public void Dispose()
    {
        _private.Dispose();
        _seed.Dispose();
    }
}
