using System.Buffers.Binary;
using System.Globalization;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// Twelve BIP-39 words that stand for 128 random bits (docs/protocol/account.md §2): what an account's owner writes down once.
/// </summary>
public sealed class RecoveryPhrase : IDisposable
{
    private const int EntropyBytes = 16;
    private const int WordCount = 12;
    private const int Argon2MemoryBytes = 64 << 20;
    private const int Argon2Iterations = 3;
    private const uint DerivationVersion = 1;

    private static readonly string[] Words = LoadWords();
    private readonly SecretKey _bits;

    private RecoveryPhrase(SecretKey bits) => _bits = bits;

    /// <summary>A new random phrase.</summary>
    public static RecoveryPhrase Generate(IEntropy entropy) => new(SecretKey.Random(entropy, EntropyBytes));

    /// <summary>Reads twelve words; false for an unknown word, another count or a wrong checksum. Case and extra spaces do not matter.</summary>
    public static bool TryParse(string text, out RecoveryPhrase? phrase)
    {
        phrase = null;
        var words = text.ToLower(CultureInfo.InvariantCulture).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != WordCount) return false;
        UInt128 bits = 0;
        var last = 0;
        for (var i = 0; i < WordCount; i++)
        {
            last = Array.BinarySearch(Words, words[i], StringComparer.Ordinal);
            if (last < 0) return false;
            bits = i < WordCount - 1 ? (bits << 11) | (uint)last : (bits << 7) | (uint)(last >> 4);
        }

        Span<byte> bytes = stackalloc byte[EntropyBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        if ((last & 15) != Checksum(bytes)) return false;
        phrase = new(new SecretKey(bytes));
        return true;
    }

    /// <summary>The twelve words, in lower case, separated by spaces. Show them once; never log them.</summary>
    public string Reveal()
    {
        var bits = BinaryPrimitives.ReadUInt128BigEndian(_bits.Bytes);
        var words = new string[WordCount];
        for (var i = 0; i < WordCount - 1; i++) words[i] = Words[(int)((bits >> (117 - (11 * i))) & 2047)];
        words[^1] = Words[((int)(bits & 127) << 4) | Checksum(_bits.Bytes)];
        return string.Join(' ', words);
    }

    /// <summary>The key to which the account's secrets are sealed. Takes about a third of a second and 64 MiB.</summary>
    public KemKey DeriveKemKey()
    {
        using var seed = Seed();
        using var secret = Hashing.Derive(Label.RecoveryKem, seed.Bytes, default);
        return new(secret.Bytes);
    }

    /// <inheritdoc />
    public void Dispose() => _bits.Dispose();

    private SecretKey Seed()
    {
        Span<byte> version = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(version, DerivationVersion);
        var salt = Hashing.Hash(Label.RecoverySalt, version).ToArray();
        var password = System.Text.Encoding.ASCII.GetBytes(Reveal());
        var seed = Hashing.Argon2id(password, salt.AsSpan(0, 16), Argon2MemoryBytes, Argon2Iterations);
        SecretKey.Zero(password);
        return seed;
    }

    private static int Checksum(ReadOnlySpan<byte> bits)
    {
        Span<byte> first = stackalloc byte[Bytes32.Size];
        Hashing.Sha256(bits).CopyTo(first);
        return first[0] >> 4;
    }

    private static string[] LoadWords()
    {
        using var stream = typeof(RecoveryPhrase).Assembly.GetManifestResourceStream("bip39-english")
            ?? throw new InvalidOperationException("the BIP-39 word list is missing from the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
