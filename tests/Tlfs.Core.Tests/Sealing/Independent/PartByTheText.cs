using System.Buffers.Binary;
using System.Security.Cryptography;
using Geralt;
using HKDF = System.Security.Cryptography.HKDF;
using XChaCha20Poly1305 = Geralt.XChaCha20Poly1305;

namespace Tlfs.Core.Tests.Sealing.Independent;

/// <summary>
/// Steps 11 to 13 of docs/protocol/envelope.md §3 for one part, written from §2 and encoding.md alone, with nothing of the product's but the reasons: null if
/// the part opens, else why it is void. Operations are checked to be deterministic CBOR, no more.
/// </summary>
internal static class PartByTheText
{
    public static Reason? Check(byte[] contentKey, byte[] core, int index, byte[] part, byte[] opsRoot)
    {
        byte[] position = [.. core, (byte)(index >> 8), (byte)index];
        var key = Derive("part", contentKey, position);
        if (Open(key, part, [.. Prefix("part-ad"), .. position]) is not { } padded) return Reason.Unsealable;
        if (Unpad(padded) is not { } plain) return Reason.BadPadding;
        return Operations(plain) is { } operations && Root(key, operations).AsSpan().SequenceEqual(opsRoot) ? null : Reason.BadOperations;
    }

    /// <summary>The operations of a plaintext, or null if it is not <c>[schemaHash, [operation], [opening], [forward]]</c> within its limits.</summary>
    public static List<byte[]>? Operations(byte[] plain)
    {
        if (Cbor.TryRead(plain) is not { Items: [{ Bytes.Length: 32 }, { Items: { Count: <= 16_384 } operations }, { Items: { Count: <= 64 } openings }, { Items: { Count: <= 4_096 } forwards }] }) return null;
        if (!openings.All(IsOpening) || !Ascend(openings.Select(opening => opening.Items![0].Bytes!))) return null;
        if (!forwards.All(IsForward) || !Ascend(forwards.Select(forward => (byte[])[.. forward.Items![0].Bytes!, (byte)forward.Items[1].Number!.Value]))) return null;
        return forwards.Sum(forward => forward.Items![4].Items!.Count) <= 16_384 ? [.. operations.Select(operation => operation.Encoded)] : null;
    }

    /// <summary>The salted root over operations (§2.5).</summary>
    public static byte[] Root(byte[] partKey, IReadOnlyList<byte[]> operations)
    {
        var leafKey = Derive("leaf", partKey, []);
        byte[][] leaves = [.. operations.Select((operation, j) =>
        {
            byte[] number = new byte[4], salt = new byte[16];
            BinaryPrimitives.WriteUInt32BigEndian(number, (uint)j);
            BLAKE2b.ComputeTag(salt, number, leafKey);
            return Hash("leaf", [.. salt, .. operation]);
        })];
        return leaves.Length == 0 ? Hash("node", []) : Tree(leaves);
    }

    public static byte[] Derive(string label, byte[] key, byte[] context) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, [], [.. Prefix(label), .. context]);

    private static byte[] Tree(byte[][] leaves)
    {
        if (leaves.Length == 1) return leaves[0];
        var left = 1;
        while (left * 2 < leaves.Length) left *= 2;
        return Hash("node", [.. Tree(leaves[..left]), .. Tree(leaves[left..])]);
    }

    private static byte[] Hash(string label, byte[] bytes)
    {
        var hash = new byte[32];
        BLAKE2b.ComputeHash(hash, [.. Prefix(label), .. bytes]);
        return hash;
    }

    private static byte[] Prefix(string label) => System.Text.Encoding.ASCII.GetBytes($"cloudpeer/v1/{label}\0");

    private static byte[]? Open(byte[] key, byte[] part, byte[] associatedData)
    {
        if (part.Length < 40) return null;
        try
        {
            var plain = new byte[part.Length - 40];
            XChaCha20Poly1305.Decrypt(plain, part.AsSpan(24), part.AsSpan(0, 24), key, associatedData);
            return plain;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[]? Unpad(byte[] padded)
    {
        if (padded.Length < 4) return null;
        long length = BinaryPrimitives.ReadUInt32BigEndian(padded);
        if (length + 4 > padded.Length || padded.Length != PaddedLength(length + 4) || padded.Skip((int)length + 4).Any(value => value != 0)) return null;
        return padded[4..((int)length + 4)];
    }

    private static long PaddedLength(long n)
    {
        if (n <= 256) return 256;
        int e = (int)Math.Floor(Math.Log2(n)), s = (int)Math.Floor(Math.Log2(e)) + 1;
        var unit = 1L << (e - s);
        return (n + unit - 1) / unit * unit;
    }

    private static bool IsOpening(Cbor opening) => opening is { Items: [{ Bytes.Length: 32 }, { Bytes.Length: 16 }, { Bytes: { Length: <= 1_024 } path }] } && IsPath(path);

    private static bool IsForward(Cbor forward) =>
        forward is
        {
            Items: [{ Bytes.Length: 32 }, { Number: < 64 }, { Bytes.Length: 32 }, { Number: <= 16_384 and var count }, { Items: { Count: > 0 and <= 16_384 } operations }, { Items: { Count: <= 16_384 } hashes }],
        }
        && operations.All(operation => operation is { Items: [{ Number: var j }, { Bytes.Length: 16 }, _] } && j < count)
        && operations.Zip(operations.Skip(1)).All(pair => pair.First.Items![0].Number < pair.Second.Items![0].Number)
        && hashes.All(hash => hash is { Bytes.Length: 32 });

    // encoding.md §5
    private static bool IsPath(byte[] path)
    {
        var segments = 0;
        for (var at = 0; at < path.Length; segments++)
        {
            int tag = path[at++], length = at + 2 <= path.Length ? (path[at] << 8) | path[at + 1] : int.MaxValue;
            var end = tag switch
            {
                0x01 or 0x02 or 0x11 or 0x12 => at + 8,
                0x10 => at < path.Length && path[at] <= 1 ? at + 1 : int.MaxValue,
                0x13 or 0x14 => length <= 256 ? at + 2 + length : int.MaxValue,
                _ => int.MaxValue,
            };
            if (end > path.Length || (tag == 0x13 && !System.Text.Unicode.Utf8.IsValid(path.AsSpan(at + 2, length)))) return false;
            at = end;
        }

        return segments <= 32;
    }

    private static bool Ascend(IEnumerable<byte[]> keys)
    {
        byte[]? last = null;
        foreach (var key in keys)
        {
            if (last is not null && last.AsSpan().SequenceCompareTo(key) >= 0) return false;
            last = key;
        }

        return true;
    }
}
