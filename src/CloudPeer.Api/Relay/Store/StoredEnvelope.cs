using System.Buffers.Binary;
using System.Data.Common;
using CloudPeer.Sync.Relay;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>The columns of a log entry, the same in both databases.</summary>
internal static class StoredEnvelope
{
    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "idx, id, author, header, signature, body, parts, blob_bytes, blob_tag";

    /// <summary>Reads a row and puts the envelope together again (envelope.md §1), but for parts that are a blob.</summary>
    public static StoredRow Read(DbDataReader row) => row is SqliteDataReader { Handle: { } statement }
        ? ReadInPlace(statement)
        : Join(
            row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<byte[]>(5),
            row.GetFieldValue<byte[]>(6), row.GetInt32(7), row.GetInt64(8));

    // The columns where they lie: the driver would copy each of them before they are copied into the envelope.
    private static StoredRow ReadInPlace(sqlite3_stmt row) => Join(
        raw.sqlite3_column_blob(row, 1), raw.sqlite3_column_blob(row, 2), raw.sqlite3_column_blob(row, 3), raw.sqlite3_column_blob(row, 4),
        raw.sqlite3_column_blob(row, 5), raw.sqlite3_column_blob(row, 6), raw.sqlite3_column_int(row, 7), raw.sqlite3_column_int64(row, 8));

    private static StoredRow Join(
        ReadOnlySpan<byte> id, ReadOnlySpan<byte> author, ReadOnlySpan<byte> header, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> body,
        ReadOnlySpan<byte> parts, int blobBytes, long blobTag)
    {
        Span<byte> bodyLength = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bodyLength, body.Length);
        var bytes = ByteArrays.Concat(header, signature, bodyLength, body, parts);
        var envelope = Id.From<EnvelopeId>(id);
        return new(new(envelope, Id.From<PeerId>(author), bytes), blobBytes > 0 ? new StoredBlob(envelope, blobTag) : null, blobBytes);
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
