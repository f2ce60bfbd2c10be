using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Storage;

/// <summary>Ids and bytes in rows.</summary>
internal static class Rows
{
    public static byte[] Blob<T>(this T id)
        where T : struct, IId<T> => id.Value.ToArray();

    public static T Id<T>(this SqliteDataReader reader, int column)
        where T : struct, IId<T> => Core.Ids.Id.From<T>(reader.Blob(column));

    public static byte[] Blob(this SqliteDataReader reader, int column) => reader.GetFieldValue<byte[]>(column);

    public static byte[]? BlobOrNull(this SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.Blob(column);

    public static string? TextOrNull(this SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static ulong? NumberOrNull(this SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : unchecked((ulong)reader.GetInt64(column));

    /// <summary>SQLite's integers are signed; the bits are kept.</summary>
    public static long Signed(this ulong value) => unchecked((long)value);
}
