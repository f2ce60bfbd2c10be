using System.Security.Cryptography;
using Geralt;
using Tlfs.Core.Crypto;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>Ed25519 as libsodium does it: RFC 8032 §7.1, and a frozen table of the edge cases about which implementations disagree.</summary>
public sealed class SignatureVectors
{
    [Fact]
    public void Keys_and_signatures_are_those_of_RFC_8032()
    {
        var lines = VectorFile.Lines("rfc8032.txt");
        Assert.Equal(5, lines.Count);
        foreach (var line in lines)
        {
            byte[] seed = VectorFile.Bytes(line[1]), key = VectorFile.Bytes(line[2]), message = VectorFile.Bytes(line[3]), expected = VectorFile.Bytes(line[4]);
            using var signing = new SigningKey(seed);
            Assert.Equal(line[2], signing.Public.Value.ToString());
            var signature = new byte[SigningKey.SignatureSize];
            Ed25519.Sign(signature, message, [.. seed, .. key]);
            Assert.Equal(Convert.ToHexStringLower(expected), Convert.ToHexStringLower(signature));
            Assert.True(Accepts(key, message, signature));
            for (var i = 0; i < signature.Length; i++)
            {
                var changed = signature.ToArray();
                changed[i] ^= 1;
                Assert.False(Accepts(key, message, changed));
            }
        }
    }

    [Fact]
    public void Edge_cases_are_accepted_and_refused_as_frozen()
    {
        // Only case 3, mixed orders that satisfy the cofactorless equation, passes: 0 to 2 and 8 to 11 have a point of small order or one that is not
        // canonical, 4 and 5 satisfy only the equation with the cofactor, 6 and 7 have S out of range.
        var lines = VectorFile.Lines("ed25519-speccheck.txt");
        Assert.Equal(12, lines.Count);
        foreach (var line in lines)
            Assert.True(line[1] is "accept" == Accepts(VectorFile.Bytes(line[3]), VectorFile.Bytes(line[2]), VectorFile.Bytes(line[4])), $"case {line[0]}");
    }

    /// <summary>The library call that <see cref="SigningKey.Verify"/> makes, for messages without a label.</summary>
    internal static bool Accepts(byte[] key, byte[] message, byte[] signature)
    {
        if (signature.Length != SigningKey.SignatureSize) return false;
        try
        {
            return Ed25519.Verify(signature, message, key);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
