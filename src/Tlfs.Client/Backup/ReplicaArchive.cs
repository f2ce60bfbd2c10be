using System.Globalization;
using Microsoft.Data.Sqlite;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;

namespace Tlfs.Client.Backup;

/// <summary>
/// A whole replica in one sealed file. A record is <c>CBOR [table, value, …]</c>: the number of a table in <see cref="ReplicaTables.InOrder"/> and one row of it,
/// with null, integers, texts and byte strings as values.
/// </summary>
internal static class ReplicaArchive
{
    private const int RecordBytes = 2 << 20;
    private const int MaxColumns = 16;

    /// <summary>Writes a new file, private to the user; it is durable when this returns.</summary>
    public static void Export(ReplicaDatabase database, IEntropy entropy, string file, string passphrase, CancellationToken cancellationToken)
    {
        RequirePassphrase(passphrase);
        if (Path.Exists(file)) throw new TlfsException(Reason.BadArgument, "that file exists already; choose another name");
        try
        {
            using var stream = Create(file);
            try
            {
                SealedFile.Write(stream, passphrase, entropy, add => database.Write(() => Dump(database, add, cancellationToken)));
                stream.Flush(flushToDisk: true);
            }
            catch
            {
                File.Delete(file);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e, file);
        }
    }

    /// <summary>Makes a replica in an empty home: all of it or nothing.</summary>
    public static void Import(LocalFirstOptions options, string file, string passphrase, CancellationToken cancellationToken)
    {
        RequirePassphrase(passphrase);
        try
        {
            using var stream = File.OpenRead(file);
            using var database = ReplicaDatabase.OpenOrCreate(options.Home);
            database.Write(() =>
            {
                if (new IdentityTable(database).Exists) throw IdentityTable.Taken();
                foreach (var record in SealedFile.Read(stream, passphrase))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Insert(database, record);
                }

                using var keys = new IdentityTable(database).Load().Keys;
                return true;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e, file);
        }
    }

    private static bool Dump(ReplicaDatabase database, Action<ReadOnlyMemory<byte>> add, CancellationToken cancellationToken)
    {
        for (var table = 0; table < ReplicaTables.InOrder.Length; table++)
        {
            var number = table;
            database.Each("SELECT * FROM " + ReplicaTables.InOrder[table], reader =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                add(Encode(number, reader));
            });
        }

        return true;
    }

    private static byte[] Encode(int table, SqliteDataReader reader) => Canonical.Encode(writer =>
    {
        writer.BeginArray(1 + reader.FieldCount);
        writer.UInt((ulong)table);
        for (var i = 0; i < reader.FieldCount; i++)
        {
            switch (reader.GetValue(i))
            {
                case long number: writer.Int(number); break;
                case string text: writer.Text(text); break;
                case byte[] bytes: writer.Bytes(bytes); break;
                default: writer.Null(); break;
            }
        }

        writer.EndArray();
    });

    private static void Insert(ReplicaDatabase database, ReadOnlyMemory<byte> record)
    {
        if (!Canonical.TryDecode(record, RecordBytes, Decode, out var row, out _)) throw NotThisVersion();
        var table = ReplicaTables.InOrder[row.Table];
        var columns = database.Query($"PRAGMA table_info({table})", _ => true).Count;
        if (row.Values.Count > columns) throw NotThisVersion();

        // Columns that came later say nothing of what was exported before.
        while (row.Values.Count < columns) row.Values.Add(null);
        var places = string.Join(", ", row.Values.Select((_, i) => "$" + (i + 1).ToString(CultureInfo.InvariantCulture)));
        database.Execute($"INSERT INTO {table} VALUES({places})", [.. row.Values]);
    }

    private static (int Table, List<object?> Values) Decode(CanonicalReader reader)
    {
        var count = reader.BeginArrayUpTo(1 + MaxColumns);
        var table = reader.SmallInt(ReplicaTables.InOrder.Length - 1);
        var values = new List<object?>(count);
        for (var i = 1; i < count; i++) values.Add(ReadValue(reader));
        reader.EndArray();
        return (table, values);
    }

    private static object? ReadValue(CanonicalReader reader)
    {
        switch (reader.Peek())
        {
            case CanonicalKind.UInt or CanonicalKind.NegativeInt: return reader.Int();
            case CanonicalKind.Text: return reader.Text(RecordBytes);
            case CanonicalKind.Bytes: return reader.Bytes(RecordBytes);
            default:
                reader.Null();
                return null;
        }
    }

    private static FileStream Create(string file)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(file, options);
    }

    private static void RequirePassphrase(string passphrase)
    {
        if (passphrase.Length == 0) throw new TlfsException(Reason.BadArgument, "an export needs a passphrase");
    }

    private static TlfsException Explain(Exception e, string file) => ReplicaDatabase.IsFull(Path.GetDirectoryName(Path.GetFullPath(file))!)
        ? new(Reason.StorageFull, "the disk is full; nothing was exported", e)
        : new(Reason.InputOutput, "the export's file cannot be read or written; check the path and its owner", e);

    private static TlfsException NotThisVersion() => new(Reason.Unsupported, "the export was made by another version of this software");
}
