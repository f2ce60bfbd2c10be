using System.Data.Common;
using CloudPeer.Api.Data;
using Tlfs.Core;

namespace CloudPeer.Api.Relay.Store;

/// <summary>Turns a database's failures into what a relay understands, in one place for both stores. Bugs stay what they are.</summary>
internal static class StoreFailure
{
    /// <summary>Runs one operation on the database.</summary>
    /// <exception cref="TlfsException">The database cannot be used now: <see cref="Reason.StorageFull"/> or <see cref="Reason.Unavailable"/>.</exception>
    public static async Task<T> Translate<T>(Func<Task<T>> operation)
    {
        try
        {
            return await operation();
        }
        catch (DbException e) when (DatabaseFailure.IsUnavailable(e))
        {
            throw DatabaseFailure.IsFull(e)
                ? new TlfsException(Reason.StorageFull, "The server's disk is full; what is stored can still be read.", e)
                : new TlfsException(Reason.Unavailable, "The server's database cannot be used at the moment.", e);
        }
    }
}
