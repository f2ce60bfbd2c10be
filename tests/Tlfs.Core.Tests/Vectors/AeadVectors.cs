using System.Security.Cryptography;
using Tlfs.Core.Crypto;
using Xunit;
using ChaCha20Poly1305 = Geralt.ChaCha20Poly1305;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>RFC 8439 §2.8.2 (ChaCha20-Poly1305, which is inside HPKE) and draft-irtf-cfrg-xchacha A.3 (XChaCha20-Poly1305, <see cref="Aead"/>).</summary>
public sealed class AeadVectors
{
    private static readonly byte[] Key = [.. Enumerable.Range(0x80, 32).Select(value => (byte)value)];
    private static readonly byte[] AssociatedData = Convert.FromHexString("50515253c0c1c2c3c4c5c6c7");

    private static readonly byte[] Plaintext =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."u8.ToArray();

    [Fact]
    public void RFC_8439_seals_and_opens()
    {
        const string Expected =
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c"
            + "9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
        var nonce = Convert.FromHexString("070000004041424344454647");
        var ciphertext = new byte[Plaintext.Length + ChaCha20Poly1305.TagSize];
        ChaCha20Poly1305.Encrypt(ciphertext, Plaintext, nonce, Key, AssociatedData);
        Assert.Equal(Expected, Convert.ToHexStringLower(ciphertext));
        Assert.Equal(Plaintext, TryOpenChaCha(Key, nonce, ciphertext, AssociatedData));
    }

    [Fact]
    public void The_draft_of_XChaCha_seals_and_opens()
    {
        const string Expected =
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945"
            + "b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        byte[] nonce = [.. Enumerable.Range(0x40, 24).Select(value => (byte)value)];
        using var key = new SecretKey(Key);
        var made = Aead.Seal(new FixedNonce(nonce), key, Plaintext, AssociatedData);
        Assert.Equal(Convert.ToHexStringLower(nonce) + Expected, Convert.ToHexStringLower(made));
        Assert.True(Aead.TryOpen(key, made, AssociatedData, out var opened));
        Assert.Equal(Plaintext, opened);
    }

    /// <summary>The library call inside HPKE; null when it refuses.</summary>
    internal static byte[]? TryOpenChaCha(byte[] key, byte[] nonce, byte[] ciphertext, byte[] associatedData)
    {
        if (ciphertext.Length < ChaCha20Poly1305.TagSize) return null;
        try
        {
            var opened = new byte[ciphertext.Length - ChaCha20Poly1305.TagSize];
            ChaCha20Poly1305.Decrypt(opened, ciphertext, nonce, key, associatedData);
            return opened;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    internal sealed class FixedNonce(byte[] nonce) : IEntropy
    {
        public void Fill(Span<byte> destination) => nonce.CopyTo(destination);
    }
}
