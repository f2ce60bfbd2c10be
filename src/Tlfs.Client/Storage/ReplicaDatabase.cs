using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Tlfs.Core;

namespace Tlfs.Client.Storage;

/// <summary>
/// The one SQLite file of a replica, <c>replica.db</c> in its home. Write-ahead log and <c>synchronous=FULL</c>: what a transaction committed
/// survives a crash of the machine. Several processes may use one file. Not thread-safe.
/// </summary>
internal sealed class ReplicaDatabase : IDisposable
{
    private const string FileName = "replica.db";
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;
    private const int BusySeconds = 10;

    private readonly SqliteConnection _connection;
    private readonly string _home;
    private bool _writing;

    private ReplicaDatabase(string home)
    {
        _home = home;
        var source = new SqliteConnectionStringBuilder
        {
            DataSource = PathIn(home),
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            ForeignKeys = true,
            DefaultTimeout = BusySeconds,
        };
        _connection = new(source.ToString());
    }

    /// <summary>Changes whenever another connection commits.</summary>
    public long DataVersion => Single("PRAGMA data_version", reader => reader.GetInt64(0));

    /// <summary>Opens a home's file; <c>not-initialised</c> if there is none.</summary>
    public static ReplicaDatabase Open(string home)
    {
        if (!File.Exists(PathIn(home))) throw NotInitialised();
        return Connect(home, database =>
        {
            if (database.Tables() == 0) throw NotInitialised();
            database.CheckFormat();
        });
    }

    /// <summary>Opens a home's file, and makes home, file and tables where they are missing. All are private to the user.</summary>
    public static ReplicaDatabase OpenOrCreate(string home)
    {
        MakeFile(home);
        return Connect(home, database => database.Write(() =>
        {
            if (database.Tables() == 0)
            {
                database.Execute(ReplicaTables.Create);
                database.Execute("INSERT INTO format(version) VALUES($1)", ReplicaTables.Version);
            }

            database.CheckFormat();
            return true;
        }));
    }

    /// <summary>
    /// Runs work in a transaction that excludes all other writers, and makes it durable. Inside another one it is part of that. If the work throws,
    /// nothing of it happened.
    /// </summary>
    public T Write<T>(Func<T> work)
    {
        if (_writing) return work();
        using var transaction = Guard(() => _connection.BeginTransaction(deferred: false));
        _writing = true;
        try
        {
            var result = work();
            Guard(() =>
            {
                transaction.Commit();
                return true;
            });
            return result;
        }
        finally
        {
            _writing = false;
        }
    }

    /// <summary>Empties the write-ahead log, so that what was overwritten is gone from there too. While another process reads, it stays until that ends.</summary>
    public void Settle() => Single("PRAGMA wal_checkpoint(TRUNCATE)", reader => reader.GetInt64(0));

    /// <summary>Runs a statement; parameters are <c>$1</c>, <c>$2</c>, ….</summary>
    /// <returns>The number of rows changed.</returns>
    public int Execute(string sql, params object?[] values) => Guard(() =>
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    });

    /// <summary>Inserts a row and returns its number.</summary>
    public long Insert(string sql, params object?[] values)
    {
        Execute(sql, values);
        return Single("SELECT last_insert_rowid()", reader => reader.GetInt64(0));
    }

    /// <summary>All rows of a query.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params object?[] values) => Guard(() =>
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    });

    /// <summary>The first row of a query, or the type's default if there is none.</summary>
    public T? Single<T>(string sql, Func<SqliteDataReader, T> read, params object?[] values) => Guard(() =>
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        return reader.Read() ? read(reader) : default;
    });

    /// <summary>Hands each row of a query to a function, without keeping them.</summary>
    public void Each(string sql, Action<SqliteDataReader> take) => Guard(() =>
    {
        using var command = Command(sql, []);
        using var reader = command.ExecuteReader();
        while (reader.Read()) take(reader);
        return true;
    });

    /// <inheritdoc />
    public void Dispose() => _connection.Dispose();

    private static string PathIn(string home) => Path.Combine(home, FileName);

    private static TlfsException NotInitialised() => new(Reason.NotInitialised, "no replica in this folder; make one with: init");

    private static ReplicaDatabase Connect(string home, Action<ReplicaDatabase> prepare)
    {
        var database = new ReplicaDatabase(home);
        try
        {
            database.Guard(() =>
            {
                database._connection.Open();
                return true;
            });
            database.Execute("PRAGMA busy_timeout = " + (BusySeconds * 1000).ToString(CultureInfo.InvariantCulture));
            database.Single("PRAGMA journal_mode = WAL", reader => reader.GetString(0));
            database.Execute("PRAGMA synchronous = FULL");

            // What is deleted is overwritten where that costs no further write, so that a document can be removed without a trace later.
            database.Execute("PRAGMA secure_delete = FAST");
            prepare(database);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    // SQLite gives the files beside this one, -wal and -shm, the same mode.
    private static void MakeFile(string home)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(home);
            }
            else
            {
                Directory.CreateDirectory(home, PrivateFolder);
                File.SetUnixFileMode(home, PrivateFolder);
                options.UnixCreateMode = PrivateFile;
            }

            if (!File.Exists(PathIn(home))) new FileStream(PathIn(home), options).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw IsFull(home)
                ? new TlfsException(Reason.StorageFull, "the disk is full; nothing was written", e)
                : new TlfsException(Reason.InputOutput, "the replica's folder cannot be made or written; check the path and its owner", e);
        }
    }

    private long Tables() => Single("SELECT count(*) FROM sqlite_master", reader => reader.GetInt64(0));

    private void CheckFormat()
    {
        var known = Single("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'format'", reader => reader.GetInt64(0)) == 1;
        var version = known ? Single("SELECT version FROM format", reader => reader.GetInt64(0)) : 0;
        if (version > ReplicaTables.Version)
            throw new TlfsException(Reason.Unsupported, "the replica was written by a newer version of this software; update it");
        if (version != ReplicaTables.Version) throw new TlfsException(Reason.InputOutput, "replica.db is not a replica; choose another folder");

        // One from before parts could be withheld.
        if (!Has("envelope", "present")) Execute("ALTER TABLE envelope ADD COLUMN present INTEGER");
        if (!Has("evidence")) Write(() => Has("evidence") ? 0 : Execute(ReplicaTables.AddEvidence));
        if (!Has("epoch") || !Has("move_untold")) Execute(ReplicaTables.Create);
        if (!Has("refused", "resource")) Write(() => Has("refused", "resource") ? 0 : Execute(ReplicaTables.AddLimits));
        if (!Has("identity", "delivery_token")) Write(() => Has("identity", "delivery_token") ? 0 : Execute(ReplicaTables.AddContacts));
    }

    private bool Has(string table, string column) =>
        Single("SELECT count(*) FROM pragma_table_info($1) WHERE name = $2", reader => reader.GetInt64(0), table, column) > 0;

    private bool Has(string table) => Single("SELECT count(*) FROM sqlite_master WHERE name = $1", reader => reader.GetInt64(0), table) > 0;

    [SuppressMessage("Security", "CA2100", Justification = "All callers pass constants; values are parameters.")]
    private SqliteCommand Command(string sql, object?[] values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue("$" + (i + 1).ToString(CultureInfo.InvariantCulture), values[i] ?? DBNull.Value);
        return command;
    }

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw Explain(e);
        }
    }

    private TlfsException Explain(SqliteException e) => e.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_FULL => Full(e),
        SQLitePCL.raw.SQLITE_IOERR or SQLitePCL.raw.SQLITE_CANTOPEN when IsFull(_home) => Full(e),
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED => new(Reason.Busy, "another program is writing to this replica; try again", e),
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB =>
            new(Reason.InputOutput, "the replica's file is damaged; restore it from an export", e),
        SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_PERM or SQLitePCL.raw.SQLITE_CANTOPEN =>
            new(Reason.InputOutput, "the replica's file cannot be opened for writing; check its owner and mode", e),
        SQLitePCL.raw.SQLITE_IOERR => new(Reason.InputOutput, "the replica's file cannot be read or written; check the disk", e),
        _ => throw new InvalidOperationException("a statement of the replica's store is wrong", e),
    };

    private static TlfsException Full(SqliteException e) => new(Reason.StorageFull, "the disk is full; nothing was changed, make room and try again", e);

    /// <summary>True if the disk of a folder has no room left.</summary>
    public static bool IsFull(string folder)
    {
        const int Little = 64 << 10;
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace < Little;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
