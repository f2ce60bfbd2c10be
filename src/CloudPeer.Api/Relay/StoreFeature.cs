using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using Npgsql;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>PostgreSQL when there is one, else SQLite in the data folder.</summary>
internal static class StoreFeature
{
    /// <summary>The embedded store's file in the data folder.</summary>
    public const string SqliteFile = "relay.db";

    /// <summary>The embedded store's folder of large parts in the data folder, unless another one is set.</summary>
    public const string BlobsFolder = "blobs";

    /// <summary>
    /// Where large parts of snapshots are. A folder that is set may be shared with other servers, so each has one of its own in it; without one, several
    /// processes over PostgreSQL have no folder in common, and everything is in the database.
    /// </summary>
    public static BlobFolder Blobs(ServerSettings settings, PeerId server)
    {
        if (settings.BlobDir is { } shared) return new(Path.Combine(shared, server.ToString()));
        return settings.PostgresConnection is null ? new(settings.DataFile(BlobsFolder)) : BlobFolder.None;
    }

    /// <summary>Opens the store and brings its tables to this version.</summary>
    /// <exception cref="Tlfs.Core.TlfsException">The database cannot be used now, or was made by newer software.</exception>
    /// <param name="postgres">The database, or null for SQLite.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="blobs">Where large parts of snapshots are.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="listening">The database by another address, to hear of other nodes.</param>
    public static async Task<IRelayStore> OpenAsync(
        NpgsqlDataSource? postgres, DataFolder folder, BlobFolder blobs, CancellationToken cancellationToken, NpgsqlDataSource? listening = null) => postgres is not null
        ? await PostgresRelayStore.OpenAsync(postgres, cancellationToken, blobs, listening)
        : await SqliteRelayStore.OpenAsync(folder.EnsureFile(SqliteFile), cancellationToken, blobs);

    /// <summary>Adds the sweep of the blob folder.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="blobs">The folder.</param>
    /// <param name="store">The store as it was opened.</param>
    public static IServiceCollection AddBlobSweep(this IServiceCollection services, BlobFolder blobs, IRelayStore store) =>
        services.AddSingleton(blobs).AddSingleton((IBlobIndex)store).AddHostedService<BlobSweep>();
}
