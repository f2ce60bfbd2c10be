using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>RFC 9180 A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode.</summary>
public sealed class HpkeVectors
{
    private static readonly byte[] Info = Convert.FromHexString("4f6465206f6e2061204772656369616e2055726e");
    private static readonly byte[] Plaintext = Convert.FromHexString("4265617574792069732074727574682c20747275746820626561757479");
    private const string Ciphertext = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";

    [Fact]
    public void Sealing_gives_the_vector_and_opening_gives_it_back()
    {
        using var ephemeral = new KemKey(Convert.FromHexString("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"));
        using var recipient = new KemKey(Convert.FromHexString("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
        Assert.Equal("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a", ephemeral.Public.ToString());
        Assert.Equal("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a", recipient.Public.ToString());
        var message = Hpke.Seal(ephemeral, recipient.Public, Info, "Count-0"u8, Plaintext);
        Assert.Equal(ephemeral.Public, message.Encapsulation);
        Assert.Equal(Ciphertext, Convert.ToHexStringLower(message.Ciphertext));
        Assert.True(Hpke.TryOpen(recipient, message, Info, "Count-0"u8, out var opened));
        using (opened) Assert.Equal(Plaintext, opened.Bytes.ToArray());
    }

    [Fact]
    public void Any_change_and_any_other_key_or_info_is_refused()
    {
        var entropy = new SeededEntropy(1);
        using var recipient = KemKey.Generate(entropy);
        using var other = KemKey.Generate(entropy);
        var message = Hpke.Seal(entropy, recipient.Public, Info, Plaintext);
        Assert.False(Hpke.TryOpen(other, message, Info, out _));
        Assert.False(Hpke.TryOpen(recipient, message, "info"u8, out _));
        Assert.False(Hpke.TryOpen(recipient, message with { Ciphertext = [] }, Info, out _));
        for (var i = 0; i < message.Ciphertext.Length; i++)
        {
            var changed = message.Ciphertext.ToArray();
            changed[i] ^= 1;
            Assert.False(Hpke.TryOpen(recipient, message with { Ciphertext = changed }, Info, out _));
        }

        Assert.False(Hpke.TryOpen(recipient, message with { Encapsulation = default }, Info, out _));
        Assert.Equal(Reason.Malformed, Assert.Throws<TlfsException>(() => Hpke.Seal(entropy, default, Info, Plaintext)).Reason);
    }
}
