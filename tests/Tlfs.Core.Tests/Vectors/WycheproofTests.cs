using System.Security.Cryptography;
using System.Text.Json;
using Geralt;
using Tlfs.Core.Crypto;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>Every case of every file; a case that is not listed as differing must go as Wycheproof says.</summary>
public sealed class WycheproofTests
{
    [Fact]
    public void Ed25519() => Wycheproof.RunAll("ed25519_test.json", 151, [], (group, test) =>
        test.IsValid() == SignatureVectors.Accepts(group.GetProperty("publicKey").Bytes("pk"), test.Bytes("msg"), test.Bytes("sig")));

    [Fact]
    public void X25519() => Wycheproof.RunAll("x25519_test.json", 518, [], (_, test) =>
    {
        // "acceptable" leaves it open whether the shared secret zero is refused. It must be: nothing can be sealed with it.
        var shared = AgreementVectors.TryProduct(test.Bytes("private"), test.Bytes("public"));
        return test.Has("ZeroSharedSecret") ? shared is null : shared is not null && shared.AsSpan().SequenceEqual(test.Bytes("shared"));
    });

    [Fact]
    public void Hkdf_sha256() => Wycheproof.RunAll("hkdf_sha256_test.json", 86, [], (_, test) => Derives(HashAlgorithmName.SHA256, test));

    /// <summary>The protocol uses SHA-256 only; the code under both hashes is the same.</summary>
    [Fact]
    public void Hkdf_sha512() => Wycheproof.RunAll("hkdf_sha512_test.json", 83, [], (_, test) => Derives(HashAlgorithmName.SHA512, test));

    [Fact]
    public void XChaCha20Poly1305() => Wycheproof.RunAll("xchacha20_poly1305_test.json", 315, [], (_, test) =>
    {
        using var key = new SecretKey(test.Bytes("key"));
        byte[] nonce = test.Bytes("iv"), given = [.. nonce, .. test.Bytes("ct"), .. test.Bytes("tag")];
        if (nonce.Length != 24) return !test.IsValid() && RefusesNonce(key, test);
        var opened = Aead.TryOpen(key, given, test.Bytes("aad"), out var plaintext);
        if (!test.IsValid()) return !opened;
        return opened && plaintext!.AsSpan().SequenceEqual(test.Bytes("msg"))
            && Aead.Seal(new AeadVectors.FixedNonce(nonce), key, plaintext, test.Bytes("aad")).AsSpan().SequenceEqual(given);
    });

    [Fact]
    public void ChaCha20Poly1305() => Wycheproof.RunAll("chacha20_poly1305_test.json", 325, [], (_, test) =>
    {
        byte[] ciphertext = [.. test.Bytes("ct"), .. test.Bytes("tag")];
        var opened = AeadVectors.TryOpenChaCha(test.Bytes("key"), test.Bytes("iv"), ciphertext, test.Bytes("aad"));
        if (!test.IsValid()) return opened is null;
        var made = new byte[ciphertext.Length];
        Geralt.ChaCha20Poly1305.Encrypt(made, test.Bytes("msg"), test.Bytes("iv"), test.Bytes("key"), test.Bytes("aad"));
        return opened is not null && opened.AsSpan().SequenceEqual(test.Bytes("msg")) && made.AsSpan().SequenceEqual(ciphertext);
    });

    /// <summary>Suite 2 is not implemented; this is the library that it would use.</summary>
    [Fact]
    public void Mlkem_768() => Wycheproof.RunAll("mlkem_768_test.json", 193, [], (_, test) =>
    {
        try
        {
            byte[] publicKey = new byte[MLKEM768.PublicKeySize], secret = new byte[MLKEM768.PrivateKeySize], shared = new byte[MLKEM768.SharedSecretSize];
            MLKEM768.GenerateKeyPair(publicKey, secret, test.Bytes("seed"));
            MLKEM768.Decapsulate(shared, test.Bytes("c"), secret);
            return test.IsValid() && publicKey.AsSpan().SequenceEqual(test.Bytes("ek")) && shared.AsSpan().SequenceEqual(test.Bytes("K"));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return !test.IsValid();
        }
    });

    private static bool Derives(HashAlgorithmName hash, JsonElement test)
    {
        try
        {
            var output = HKDF.DeriveKey(hash, test.Bytes("ikm"), test.GetProperty("size").GetInt32(), test.Bytes("salt"), test.Bytes("info"));
            return test.IsValid() && output.AsSpan().SequenceEqual(test.Bytes("okm"));
        }
        catch (ArgumentException)
        {
            return !test.IsValid();
        }
    }

    // A sealed text begins with a nonce of 24 bytes, so another length cannot be said; the library refuses it.
    private static bool RefusesNonce(SecretKey key, JsonElement test)
    {
        byte[] ciphertext = [.. test.Bytes("ct"), .. test.Bytes("tag")];
        return Assert.ThrowsAny<ArgumentException>(() => Geralt.XChaCha20Poly1305.Decrypt(
            new byte[test.Bytes("msg").Length], ciphertext, test.Bytes("iv"), key.Bytes, test.Bytes("aad"))) is not null;
    }
}
