using System.Buffers.Binary;
using System.Data.Common;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>The columns of a log entry, the same in both databases.</summary>
internal static class StoredEnvelope
{
    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "idx, id, author, header, signature, body, parts, blob_bytes, blob_tag";

    /// <summary>Reads a row and puts the envelope together again (envelope.md §1), but for parts that are a blob.</summary>
    public static StoredRow Read(DbDataReader row)
    {
        var header = row.GetFieldValue<byte[]>(3);
        var body = row.GetFieldValue<byte[]>(5);
        Span<byte> bodyLength = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bodyLength, body.Length);
        byte[] bytes = [.. header, .. row.GetFieldValue<byte[]>(4), .. bodyLength, .. body, .. row.GetFieldValue<byte[]>(6)];
        var id = Id.From<EnvelopeId>(row.GetFieldValue<byte[]>(1));
        var blobBytes = row.GetInt32(7);
        return new(new(id, Id.From<PeerId>(row.GetFieldValue<byte[]>(2)), bytes), blobBytes > 0 ? new StoredBlob(id, row.GetInt64(8)) : null, blobBytes);
    }

    /// <summary>Reads the columns <c>idx, id</c>.</summary>
    public static LogPlace ReadPlace(DbDataReader row) => new((ulong)row.GetInt64(0), Id.From<EnvelopeId>(row.GetFieldValue<byte[]>(1)));

    /// <summary>Reads the columns <c>idx, id, root, position, micros, receipt_hashes, signature</c>.</summary>
    public static StoredReceipt ReadReceipt(DbDataReader row)
    {
        var hashes = row.GetFieldValue<byte[]>(5).Chunk(Bytes32.Size).Select(hash => new Bytes32(hash));
        return new(ReadPlace(row), new(row.GetFieldValue<byte[]>(2)), row.GetInt32(3), (ulong)row.GetInt64(4), [.. hashes], row.GetFieldValue<byte[]>(6));
    }

    /// <summary>The column <c>receipt_hashes</c>.</summary>
    public static byte[] Encode(IReadOnlyList<Bytes32> hashes)
    {
        var bytes = new byte[hashes.Count * Bytes32.Size];
        for (var i = 0; i < hashes.Count; i++) hashes[i].CopyTo(bytes.AsSpan(i * Bytes32.Size));
        return bytes;
    }

    /// <summary>An index as the databases take it; a greater one is past the end of any log.</summary>
    public static long Index(ulong index) => (long)Math.Min(index, long.MaxValue);
}
