using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Geralt;

namespace Tlfs.Core.Crypto;

/// <summary>XChaCha20-Poly1305 with a random nonce stored before the ciphertext (docs/protocol/encoding.md §3.4).</summary>
public static class Aead
{
    /// <summary>Bytes that sealing adds: nonce and tag.</summary>
    public const int Overhead = XChaCha20Poly1305.NonceSize + XChaCha20Poly1305.TagSize;

    /// <summary>Seals a plaintext.</summary>
    public static byte[] Seal(IEntropy entropy, SecretKey key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        var result = new byte[plaintext.Length + Overhead];
        var nonce = result.AsSpan(0, XChaCha20Poly1305.NonceSize);
        entropy.Fill(nonce);
        XChaCha20Poly1305.Encrypt(result.AsSpan(nonce.Length), plaintext, nonce, key.Bytes, associatedData);
        return result;
    }

    /// <summary>Opens what <see cref="Seal"/> made; false for another key, other associated data or any change.</summary>
    public static bool TryOpen(
        SecretKey key, ReadOnlySpan<byte> @sealed, ReadOnlySpan<byte> associatedData, [NotNullWhen(true)] out byte[]? plaintext)
    {
        plaintext = null;
        if (@sealed.Length < Overhead) return false;
        var opened = new byte[@sealed.Length - Overhead];
        try
        {
            XChaCha20Poly1305.Decrypt(opened, @sealed[XChaCha20Poly1305.NonceSize..], @sealed[..XChaCha20Poly1305.NonceSize], key.Bytes, associatedData);
        }
        catch (CryptographicException)
        {
            return false;
        }

        plaintext = opened;
        return true;
    }
}
