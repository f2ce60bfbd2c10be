using System.Buffers.Binary;
using System.Security.Cryptography;
using Geralt;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crypto;

/// <summary>Labelled hashes and key derivation (docs/protocol/encoding.md §3.1, §3.2).</summary>
public static class Hashing
{
    // Operations and tree nodes are shorter, and there are many of them.
    private const int OnStack = 1024;

    /// <summary><c>H_L(a ‖ b)</c>: BLAKE2b-256 over the label and the bytes.</summary>
    public static Bytes32 Hash(Label label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        var length = label.PrefixedBytes(first, second, third);
        var input = length <= OnStack ? stackalloc byte[length] : new byte[length];
        label.Prefix(input, first, second, third);
        BLAKE2b.ComputeHash(hash, input);
        return new(hash);
    }

    /// <summary><c>KDF_L(key, context, length)</c>: HKDF-SHA-256 with an empty salt.</summary>
    public static SecretKey Derive(Label label, ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, int length = SecretKey.Size)
    {
        Span<byte> output = stackalloc byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, output, salt: default, info: label.Prefix(context));
        var derived = new SecretKey(output);
        SecureMemory.ZeroMemory(output);
        return derived;
    }

    /// <summary><c>H_key-commit(key)</c>: what makes a reader of any other key fail before it decrypts.</summary>
    public static Bytes32 Commit(SecretKey key) => Commit(key.Bytes);

    internal static Bytes32 Commit(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        var labelled = Label.KeyCommit.Prefix(key);
        BLAKE2b.ComputeHash(hash, labelled);
        SecureMemory.ZeroMemory(labelled);
        return new(hash);
    }

    /// <summary>The salt of operation <paramref name="index"/>: keyed BLAKE2b-128 (envelope.md §2.5).</summary>
    public static void LeafSalt(SecretKey leafKey, int index, Span<byte> salt)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, index);
        BLAKE2b.ComputeTag(salt, number, leafKey.Bytes);
    }

    /// <summary>SHA-256; only for the trees of RFC 6962, for the checksum of BIP-39, and for comparing states.</summary>
    public static Bytes32 Sha256(ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        SHA256.HashData(input, hash);
        return new(hash);
    }

    /// <summary>HMAC-SHA-256, for challenges and tokens that only their maker checks.</summary>
    public static Bytes32 Mac(SecretKey key, ReadOnlySpan<byte> message)
    {
        Span<byte> mac = stackalloc byte[Bytes32.Size];
        HMACSHA256.HashData(key.Bytes, message, mac);
        return new(mac);
    }

    /// <summary>Compares two values in constant time.</summary>
    public static bool FixedTimeEquals(Bytes32 left, Bytes32 right)
    {
        Span<byte> a = stackalloc byte[Bytes32.Size], b = stackalloc byte[Bytes32.Size];
        left.CopyTo(a);
        right.CopyTo(b);
        return ConstantTime.Equals(a, b);
    }

    /// <summary>Argon2id v1.3 with one lane. Parameters are the caller's constants, never data from outside.</summary>
    /// <param name="password">The password's bytes.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="memoryBytes">Memory to use.</param>
    /// <param name="iterations">Passes over it.</param>
    public static SecretKey Argon2id(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memoryBytes, int iterations)
    {
        Span<byte> output = stackalloc byte[SecretKey.Size];
        Geralt.Argon2id.DeriveKey(output, password, salt, iterations, memoryBytes);
        var derived = new SecretKey(output);
        SecureMemory.ZeroMemory(output);
        return derived;
    }
}
