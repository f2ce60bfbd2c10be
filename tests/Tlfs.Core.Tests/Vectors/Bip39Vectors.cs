using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>The reference vectors of BIP-39 for 128 bits, and the frozen derivation of account.md §2.</summary>
public sealed class Bip39Vectors
{
    [Theory]
    [InlineData("00000000000000000000000000000000", "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")]
    [InlineData("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank yellow")]
    [InlineData("80808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice cage above")]
    [InlineData("ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong")]
    [InlineData("9e885d952ad362caeb4efe34a8e91bd2", "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic")]
    public void Words_and_bits_are_those_of_the_vectors(string bits, string words)
    {
        using var phrase = RecoveryPhrase.Generate(new FixedEntropy(Convert.FromHexString(bits)));
        Assert.Equal(words, phrase.Reveal());
        Assert.True(RecoveryPhrase.TryParse("  " + words.ToUpperInvariant().Replace(" ", "\n ", StringComparison.Ordinal), out var parsed));
        using (parsed) Assert.Equal(words, parsed!.Reveal());
    }

    [Theory]
    [InlineData("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon")]
    [InlineData("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")]
    [InlineData("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon aboutt")]
    [InlineData("")]
    public void Wrong_words_counts_and_checksums_are_refused(string words) => Assert.False(RecoveryPhrase.TryParse(words, out _));

    [Fact]
    public void The_recovery_key_is_frozen()
    {
        Assert.True(RecoveryPhrase.TryParse("legal winner thank year wave sausage worth useful legal winner thank yellow", out var phrase));
        using (phrase)
        using (var key = phrase!.DeriveKemKey())
            Assert.Equal("65da30c6551dbd8feec101a241060283e978b2e2246e005b67c89fb293942159", key.Public.ToString());
    }

    private sealed class FixedEntropy(byte[] bytes) : IEntropy
    {
        public void Fill(Span<byte> destination) => bytes.CopyTo(destination);
    }
}
