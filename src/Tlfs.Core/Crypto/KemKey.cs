using System.Security.Cryptography;
using Geralt;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crypto;

/// <summary>An X25519 key that others seal to (suite 1). Never converted from a signing key.</summary>
public sealed class KemKey : IDisposable
{
    private readonly SecretKey _secret;

    /// <summary>The key with these 32 secret bytes.</summary>
    public KemKey(ReadOnlySpan<byte> secret)
    {
        Span<byte> publicKey = stackalloc byte[X25519.PublicKeySize];
        X25519.ComputePublicKey(publicKey, secret);
        Public = new(publicKey);
        _secret = new(secret);
    }

    /// <summary>A new random key.</summary>
    public static KemKey Generate(IEntropy entropy)
    {
        using var secret = SecretKey.Random(entropy);
        return new(secret.Bytes);
    }

    /// <summary>The public key.</summary>
    public Bytes32 Public { get; }

    /// <summary>The secret, to be stored where keys are stored.</summary>
    public ReadOnlySpan<byte> Secret => _secret.Bytes;

    /// <summary>False for the few public keys, points of small order, with which every shared secret is zero: nothing can be sealed to them.</summary>
    public static bool IsUsable(Bytes32 publicKey)
    {
        Span<byte> shared = stackalloc byte[X25519.SharedSecretSize], anyScalar = stackalloc byte[SecretKey.Size];
        anyScalar.Clear();
        try
        {
            X25519.ComputeSharedSecret(shared, anyScalar, publicKey.ToArray());
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _secret.Dispose();
}
