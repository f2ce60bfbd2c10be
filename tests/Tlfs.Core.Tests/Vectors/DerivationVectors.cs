using System.Security.Cryptography;
using Tlfs.Core.Crypto;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>HKDF-SHA-256: RFC 5869 A.1 to A.3, by the library calls that <see cref="Hashing.Derive"/> and HPKE make.</summary>
public sealed class DerivationVectors
{
    private static readonly byte[] Ikm = [.. Enumerable.Repeat((byte)0x0b, 22)];

    [Fact]
    public void A1_basic() => Check(
        Ikm, Sequence(0x00, 13), Sequence(0xf0, 10),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

    [Fact]
    public void A2_longer_inputs_and_outputs() => Check(
        Sequence(0x00, 80), Sequence(0x60, 80), Sequence(0xb0, 80),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");

    [Fact]
    public void A3_no_salt_and_no_info() => Check(
        Ikm, [], [],
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");

    private static void Check(byte[] ikm, byte[] salt, byte[] info, string prk, string okm)
    {
        var extracted = new byte[32];
        HKDF.Extract(HashAlgorithmName.SHA256, ikm, salt, extracted);
        Assert.Equal(prk, Convert.ToHexStringLower(extracted));
        var output = new byte[okm.Length / 2];
        HKDF.Expand(HashAlgorithmName.SHA256, extracted, output, info);
        Assert.Equal(okm, Convert.ToHexStringLower(output));
        HKDF.DeriveKey(HashAlgorithmName.SHA256, ikm, output, salt, info);
        Assert.Equal(okm, Convert.ToHexStringLower(output));
    }

    private static byte[] Sequence(int first, int count) => [.. Enumerable.Range(first, count).Select(value => (byte)value)];
}
