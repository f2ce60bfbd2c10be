using System.Text.Json;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Relay;
using CloudPeer.Sync.Sessions;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer generation begin</c> (docs/operations/restore.md).</summary>
internal static class GenerationCommand
{
    /// <exception cref="TlfsException">Not confirmed; or a server holds the data folder (<see cref="Reason.Busy"/>); or the database cannot be used.</exception>
    public static async Task BeginAsync(
        ServerSettings settings, TimeProvider clock, TextWriter output, bool confirmed, bool json, CancellationToken cancellationToken)
    {
        if (!confirmed)
        {
            throw new TlfsException(
                Reason.BadArgument,
                "this tells every client that this server was restored from a backup, and cannot be taken back: stop all servers over this database, then add --yes");
        }

        using var folder = DataFolder.Open(settings);

        // Without the key it would be another server, and what it restored would not help.
        using var identity = ServerIdentity.LoadOrCreate(folder, SystemEntropy.Instance);
        await using var postgres = settings.PostgresConnection is { } connection ? PostgresDurability.Open(connection) : null;
        await using var store = await StartupFailure.ExplainDatabase(() => StoreFeature.OpenAsync(postgres, folder, StoreFeature.Blobs(settings, identity.Peer), cancellationToken), settings);
        var (number, documents) = await store.BeginGenerationAsync(clock.Micros(), cancellationToken);
        await output.WriteLineAsync((json
            ? JsonSerializer.Serialize(new { generation = number, documents })
            : $"Log generation {number} has begun for {documents} documents. Start the server now; clients send again what it lacks.").AsMemory(), cancellationToken);
    }
}
