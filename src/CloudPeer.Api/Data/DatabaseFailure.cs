using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace CloudPeer.Api.Data;

/// <summary>What a database's exception means, for both databases.</summary>
internal static class DatabaseFailure
{
    // SQLite's primary result codes: https://www.sqlite.org/rescode.html
    private const int Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Full = 13, CannotOpen = 14, Constraint = 19;

    /// <summary>
    /// True when the store cannot be used now: out of reach, full, read-only, or slower than the time that the operator allows a statement. Trying again later
    /// may help. What a caller cancelled is no failure.
    /// </summary>
    public static bool IsUnavailable(Exception failure) => failure is not OperationCanceledException && Chain(failure).Any(inner => inner switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode is Busy or Locked or ReadOnly or InputOutput or Full or CannotOpen,
        PostgresException postgres => postgres.IsTransient
            || postgres.SqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled,
        NpgsqlException => true,
        DbException other => other.IsTransient,
        _ => false,
    });

    /// <summary>True when the disk is full.</summary>
    public static bool IsFull(Exception failure) => Chain(failure).Any(inner => inner switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode is Full,
        PostgresException postgres => postgres.SqlState is PostgresErrorCodes.DiskFull,
        _ => false,
    });

    /// <summary>True when a row with that key exists already.</summary>
    public static bool IsUniqueViolation(Exception failure) => Chain(failure).Any(inner => inner switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode is Constraint,
        PostgresException postgres => postgres.SqlState is PostgresErrorCodes.UniqueViolation,
        _ => false,
    });

    private static IEnumerable<Exception> Chain(Exception failure)
    {
        for (var inner = failure; inner is not null; inner = inner.InnerException) yield return inner;
    }
}
