using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Geralt;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crypto;

/// <summary>What HPKE hands to a recipient.</summary>
/// <param name="Encapsulation">The sender's ephemeral public key, 32 bytes.</param>
/// <param name="Ciphertext">The sealed text, 16 bytes longer than the plaintext.</param>
public sealed record HpkeMessage(Bytes32 Encapsulation, byte[] Ciphertext);

/// <summary>
/// HPKE (RFC 9180), base mode, single shot, empty aad: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305 (docs/protocol/encoding.md §3.5).
/// </summary>
public static class Hpke
{
    private static readonly byte[] Version = [.. "HPKE-v1"u8];
    private static readonly byte[] KemSuite = [.. "KEM"u8, 0x00, 0x20];
    private static readonly byte[] HpkeSuite = [.. "HPKE"u8, 0x00, 0x20, 0x00, 0x01, 0x00, 0x03];

    /// <summary>Seals to a public key. Fails with <see cref="TlfsException"/> when the key is a low-order point.</summary>
    public static HpkeMessage Seal(IEntropy entropy, Bytes32 recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> plaintext)
    {
        using var ephemeral = KemKey.Generate(entropy);
        return Seal(ephemeral, recipient, info, default, plaintext);
    }

    /// <summary>Opens what was sealed to this key; false for another key, other info or any change.</summary>
    public static bool TryOpen(KemKey recipient, HpkeMessage message, ReadOnlySpan<byte> info, [NotNullWhen(true)] out SecretKey? plaintext) =>
        TryOpen(recipient, message, info, default, out plaintext);

    // The overloads with aad exist for the vectors of RFC 9180, which use it.
    internal static bool TryOpen(
        KemKey recipient, HpkeMessage message, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, [NotNullWhen(true)] out SecretKey? plaintext)
    {
        plaintext = null;
        if (message.Ciphertext.Length < Geralt.ChaCha20Poly1305.TagSize) return false;
        try
        {
            using var shared = Decapsulate(recipient, message.Encapsulation);
            var (key, nonce) = Schedule(shared, info);
            using (key)
            {
                var opened = new byte[message.Ciphertext.Length - Geralt.ChaCha20Poly1305.TagSize];
                Geralt.ChaCha20Poly1305.Decrypt(opened, message.Ciphertext, nonce, key.Bytes, aad);
                plaintext = new(opened);
                SecureMemory.ZeroMemory(opened);
                return true;
            }
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    internal static HpkeMessage Seal(
        KemKey ephemeral, Bytes32 recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        using var shared = Encapsulate(ephemeral, recipient);
        var (key, nonce) = Schedule(shared, info);
        using (key)
        {
            var ciphertext = new byte[plaintext.Length + Geralt.ChaCha20Poly1305.TagSize];
            Geralt.ChaCha20Poly1305.Encrypt(ciphertext, plaintext, nonce, key.Bytes, aad);
            return new(ephemeral.Public, ciphertext);
        }
    }

    private static SecretKey Encapsulate(KemKey ephemeral, Bytes32 recipient)
    {
        try
        {
            return SharedSecret(ephemeral, recipient, [.. ephemeral.Public.ToArray(), .. recipient.ToArray()]);
        }
        catch (CryptographicException e)
        {
            throw new TlfsException(Reason.Malformed, "the recipient's public key is not usable", e);
        }
    }

    private static SecretKey Decapsulate(KemKey recipient, Bytes32 encapsulation) =>
        SharedSecret(recipient, encapsulation, [.. encapsulation.ToArray(), .. recipient.Public.ToArray()]);

    private static SecretKey SharedSecret(KemKey own, Bytes32 other, byte[] context)
    {
        Span<byte> dh = stackalloc byte[X25519.SharedSecretSize];
        X25519.ComputeSharedSecret(dh, own.Secret, other.ToArray());
        var prk = Extract(KemSuite, default, "eae_prk"u8, dh);
        SecureMemory.ZeroMemory(dh);
        var shared = Expand(KemSuite, prk, "shared_secret"u8, context, 32);
        SecureMemory.ZeroMemory(prk);
        return shared;
    }

    // RFC 9180 §5.1, mode_base: no psk, no psk_id.
    private static (SecretKey Key, byte[] Nonce) Schedule(SecretKey shared, ReadOnlySpan<byte> info)
    {
        var pskIdHash = Extract(HpkeSuite, default, "psk_id_hash"u8, default);
        var infoHash = Extract(HpkeSuite, default, "info_hash"u8, info);
        byte[] context = [0x00, .. pskIdHash, .. infoHash];
        var secret = Extract(HpkeSuite, shared.Bytes, "secret"u8, default);
        var key = Expand(HpkeSuite, secret, "key"u8, context, 32);
        using var nonce = Expand(HpkeSuite, secret, "base_nonce"u8, context, 12);
        SecureMemory.ZeroMemory(secret);
        return (key, nonce.Bytes.ToArray());
    }

    private static byte[] Extract(byte[] suite, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> ikm)
    {
        var labelled = ByteArrays.Concat(Version, suite, label, ikm);
        var prk = new byte[32];
        HKDF.Extract(HashAlgorithmName.SHA256, labelled, salt, prk);
        SecureMemory.ZeroMemory(labelled);
        return prk;
    }

    private static SecretKey Expand(byte[] suite, byte[] prk, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info, int length)
    {
        var labelled = ByteArrays.Concat([(byte)(length >> 8), (byte)length], Version, suite, label, info);
        Span<byte> output = stackalloc byte[length];
        HKDF.Expand(HashAlgorithmName.SHA256, prk, output, labelled);
        var expanded = new SecretKey(output);
        SecureMemory.ZeroMemory(output);
        return expanded;
    }
}
