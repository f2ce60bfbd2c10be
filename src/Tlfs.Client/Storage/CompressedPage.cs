using System.Buffers.Binary;
using System.IO.Compression;
using Tlfs.Core;

namespace Tlfs.Client.Storage;

/// <summary>A page of a checkpoint as it is kept: its length in 4 bytes, then Brotli. Keys that lie beside each other have much in common.</summary>
internal static class CompressedPage
{
    private const int Quality = 1;
    private const int WindowBits = 16;
    private const int MaxBytes = 4 << 20;

    public static byte[] Pack(ReadOnlySpan<byte> page)
    {
        var packed = new byte[sizeof(int) + BrotliEncoder.GetMaxCompressedLength(page.Length)];
        BinaryPrimitives.WriteInt32BigEndian(packed, page.Length);
        if (!BrotliEncoder.TryCompress(page, packed.AsSpan(sizeof(int)), out var written, Quality, WindowBits))
            throw new InvalidOperationException("a page does not compress");
        return packed[..(sizeof(int) + written)];
    }

    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        var length = packed.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32BigEndian(packed);
        if (length is < 0 or > MaxBytes) throw Damaged();
        var page = new byte[length];
        return BrotliDecoder.TryDecompress(packed[sizeof(int)..], page, out var written) && written == length ? page : throw Damaged();
    }

    private static TlfsException Damaged() => new(Reason.InputOutput, "the replica's file is damaged; restore it from an export");
}
