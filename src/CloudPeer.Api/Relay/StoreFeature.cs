using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using Npgsql;

namespace CloudPeer.Api.Relay;

/// <summary>PostgreSQL when there is one, else SQLite in the data folder.</summary>
internal static class StoreFeature
{
    /// <summary>The embedded store's file in the data folder.</summary>
    public const string SqliteFile = "relay.db";

    /// <summary>Opens the store and brings its tables to this version.</summary>
    /// <exception cref="Tlfs.Core.TlfsException">The database cannot be used now, or was made by newer software.</exception>
    /// <param name="postgres">The database, or null for SQLite.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="listening">The database by another address, to hear of other nodes.</param>
    public static async Task<IRelayStore> OpenAsync(
        NpgsqlDataSource? postgres, DataFolder folder, CancellationToken cancellationToken, NpgsqlDataSource? listening = null) => postgres is not null
        ? await PostgresRelayStore.OpenAsync(postgres, cancellationToken, listening)
        : await SqliteRelayStore.OpenAsync(folder.EnsureFile(SqliteFile), cancellationToken);
}
