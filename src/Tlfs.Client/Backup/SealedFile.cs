using System.Buffers.Binary;
using System.Text;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Backup;

/// <summary>
/// The form of an exported file, version 1: <c>"tlfs-export" ‖ 01 ‖ salt(16) ‖ H_key-commit(key)</c>, then chunks
/// <c>u32be(length) ‖ AEAD(key, chunk, export-ad label ‖ everything before the first chunk ‖ u64be(number) ‖ last)</c>. The key is Argon2id v1.3 of the passphrase
/// (UTF-8, as typed) with 64 MiB and 3 passes; these are constants of version 1. <c>last</c> is 1 in the last chunk and 0 before, so that
/// nothing can be cut off, added, moved or taken from another file.
/// </summary>
internal static class SealedFile
{
    private const int SaltBytes = 16;
    private const int MemoryBytes = 64 << 20;
    private const int Passes = 3;
    private const int ChunkBytes = 64 << 10;
    private const int MarkBytes = 12;
    private const int PreambleBytes = MarkBytes + SaltBytes + Bytes32.Size;

    private static ReadOnlySpan<byte> Mark => "tlfs-export\u0001"u8;

    /// <summary>Writes records, each at most a few MiB, to a stream.</summary>
    public static void Write(Stream file, string passphrase, IEntropy entropy, Action<Action<ReadOnlyMemory<byte>>> produce)
    {
        var salt = entropy.Bytes(SaltBytes);
        using var key = DeriveKey(passphrase, salt);
        byte[] preamble = [.. Mark, .. salt, .. Hashing.Commit(key).ToArray()];
        file.Write(preamble);
        using var pending = new MemoryStream();
        ulong number = 0;
        produce(record =>
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, record.Length);
            pending.Write(length);
            pending.Write(record.Span);
            if (pending.Length < ChunkBytes) return;
            WriteChunk(file, key, entropy, pending.ToArray(), AssociatedData(preamble, number++, last: false));
            pending.SetLength(0);
        });
        WriteChunk(file, key, entropy, pending.ToArray(), AssociatedData(preamble, number, last: true));
    }

    /// <summary>Reads all records; nothing is returned that is not authentic.</summary>
    /// <exception cref="TlfsException"><c>wrong-passphrase</c>; <c>input-output</c> if the file is damaged or no export.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(Stream file, string passphrase)
    {
        var preamble = new byte[PreambleBytes];
        if (file.ReadAtLeast(preamble, PreambleBytes, throwOnEndOfStream: false) < PreambleBytes || !preamble.AsSpan().StartsWith(Mark))
            throw new TlfsException(Reason.InputOutput, "the file is not an export of a replica that this version can read");
        using var key = DeriveKey(passphrase, preamble.AsSpan(MarkBytes, SaltBytes));
        if (!Hashing.FixedTimeEquals(Hashing.Commit(key), new(preamble.AsSpan(MarkBytes + SaltBytes))))
            throw new TlfsException(Reason.WrongPassphrase, "the export does not open with this passphrase");
        var last = false;
        for (ulong number = 0; !last; number++)
        {
            var chunk = ReadChunk(file, key, preamble, number, out last);
            for (var at = 0; at < chunk.Length;)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(chunk.AsSpan(at));
                yield return chunk.AsMemory(at + 4, length);
                at += 4 + length;
            }
        }

        if (file.ReadByte() >= 0) throw Damaged();
    }

    private static byte[] ReadChunk(Stream file, SecretKey key, byte[] preamble, ulong number, out bool last)
    {
        const int LargestChunk = 8 << 20;
        var length = new byte[4];
        if (file.ReadAtLeast(length, 4, throwOnEndOfStream: false) < 4) throw Damaged();
        var size = BinaryPrimitives.ReadUInt32BigEndian(length);
        if (size > LargestChunk) throw Damaged();
        var sealedChunk = new byte[size];
        if (file.ReadAtLeast(sealedChunk, sealedChunk.Length, throwOnEndOfStream: false) < sealedChunk.Length) throw Damaged();
        last = false;
        if (Aead.TryOpen(key, sealedChunk, AssociatedData(preamble, number, last: false), out var chunk)) return chunk;
        last = true;
        return Aead.TryOpen(key, sealedChunk, AssociatedData(preamble, number, last: true), out chunk) ? chunk : throw Damaged();
    }

    private static void WriteChunk(Stream file, SecretKey key, IEntropy entropy, byte[] chunk, byte[] associatedData)
    {
        var sealedChunk = Aead.Seal(entropy, key, chunk, associatedData);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, sealedChunk.Length);
        file.Write(length);
        file.Write(sealedChunk);
    }

    private static byte[] AssociatedData(byte[] preamble, ulong number, bool last)
    {
        Span<byte> place = stackalloc byte[9];
        BinaryPrimitives.WriteUInt64BigEndian(place, number);
        place[8] = last ? (byte)1 : (byte)0;
        return Label.ExportAd.Prefix(preamble, place);
    }

    private static SecretKey DeriveKey(string passphrase, ReadOnlySpan<byte> salt) =>
        Hashing.Argon2id(Encoding.UTF8.GetBytes(passphrase), salt, MemoryBytes, Passes);

    private static TlfsException Damaged() => new(Reason.InputOutput, "the export is damaged or incomplete; nothing was imported");
}
