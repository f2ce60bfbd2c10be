using System.Security.Cryptography;
using Geralt;
using Tlfs.Core.Crypto;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>X25519: RFC 7748 §5.2 and §6.1. The public keys are made by <see cref="KemKey"/>, the rest by the library call inside HPKE.</summary>
public sealed class AgreementVectors
{
    [Theory]
    [InlineData(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    public void Products_are_those_of_RFC_7748(string scalar, string point, string product) =>
        Assert.Equal(product, Convert.ToHexStringLower(Product(Convert.FromHexString(scalar), Convert.FromHexString(point))));

    [Fact]
    public void A_thousand_products_of_products_end_at_the_value_of_RFC_7748()
    {
        byte[] k = [9, .. new byte[31]], u = k;
        for (var i = 0; i < 1_000; i++)
        {
            (k, u) = (Product(k, u), k);
            if (i == 0) Assert.Equal("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", Convert.ToHexStringLower(k));
        }

        Assert.Equal("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", Convert.ToHexStringLower(k));
    }

    [Fact]
    public void Alice_and_Bob_of_RFC_7748_agree()
    {
        byte[] a = Convert.FromHexString("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        byte[] b = Convert.FromHexString("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        using var alice = new KemKey(a);
        using var bob = new KemKey(b);
        Assert.Equal("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice.Public.ToString());
        Assert.Equal("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", bob.Public.ToString());
        const string Shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        Assert.Equal(Shared, Convert.ToHexStringLower(Product(a, bob.Public.ToArray())));
        Assert.Equal(Shared, Convert.ToHexStringLower(Product(b, alice.Public.ToArray())));
    }

    /// <summary>The shared point, or an exception when it is zero.</summary>
    internal static byte[] Product(byte[] scalar, byte[] point)
    {
        var shared = new byte[X25519.SharedSecretSize];
        X25519.ComputeSharedSecret(shared, scalar, point);
        return shared;
    }

    /// <summary>Null when the library refuses.</summary>
    internal static byte[]? TryProduct(byte[] scalar, byte[] point)
    {
        try
        {
            return Product(scalar, point);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
