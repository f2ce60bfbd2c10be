using CloudPeer.Api.Hosting.Identity;
using Microsoft.EntityFrameworkCore;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Data;

/// <summary>Tables that a feature brings: numbered scripts below <c>Folder/Sqlite</c> and <c>Folder/Postgres</c>.</summary>
/// <param name="Component">The name under which their version is recorded.</param>
/// <param name="Folder">For example <c>Accounts/Scripts</c>.</param>
internal sealed record HostTables(string Component, string Folder);

/// <summary>Makes and checks the tables of <see cref="HostDatabase"/>.</summary>
internal sealed class HostSchema(IDbContextFactory<HostDatabase> databases, IEnumerable<HostTables> tables, DataFolder folder, PeerId server)
{
    /// <summary>The embedded database's file in the data folder.</summary>
    public const string SqliteFile = "accounts.db";

    /// <summary>Brings all tables to this version and checks that the database is this server's.</summary>
    /// <exception cref="TlfsException">The database cannot be used, is newer than this software, or belongs to another server.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await database.Database.OpenConnectionAsync(cancellationToken);
        if (database.Database.IsSqlite()) await database.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
        var connection = database.Database.GetDbConnection();
        foreach (var component in tables) await SchemaMigrator.MigrateAsync(connection, Scripts(database, component), cancellationToken);
        await ClaimAsync(database, cancellationToken);
    }

    /// <summary>Throws unless the database answers and its tables are those of this version.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var versions = await database.Database.SqlQueryRaw<VersionRow>("SELECT component, version FROM schema_version").ToListAsync(cancellationToken);
        foreach (var component in tables)
        {
            var found = versions.Find(row => string.Equals(row.Component, component.Component, StringComparison.Ordinal));
            if (found is null || found.Version < Scripts(database, component).Version)
                throw new TlfsException(Reason.Unavailable, $"the {component.Component} tables are older than this software");
        }
    }

    private static SchemaScripts Scripts(HostDatabase database, HostTables component) =>
        SchemaScripts.Embedded(component.Component, $"{component.Folder}/{(database.Database.IsSqlite() ? "Sqlite" : "Postgres")}");

    private async Task ClaimAsync(HostDatabase database, CancellationToken cancellationToken)
    {
        if (await FindOwnerAsync(database, cancellationToken) is null) await TryAddOwnerAsync(database, cancellationToken);
        var owner = await FindOwnerAsync(database, cancellationToken);
        if (owner != server)
        {
            throw new TlfsException(
                Reason.WrongServer,
                $"the database belongs to the server {owner}, but the key in {folder.Path} is that of {server}; restore identity.key or use another database");
        }
    }

    private static Task<PeerId?> FindOwnerAsync(HostDatabase database, CancellationToken cancellationToken) =>
        database.Set<ServerRow>().AsNoTracking().Select(row => (PeerId?)row.Peer).FirstOrDefaultAsync(cancellationToken);

    private async Task TryAddOwnerAsync(HostDatabase database, CancellationToken cancellationToken)
    {
        database.Add(new ServerRow { Peer = server });
        try
        {
            await database.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (DatabaseFailure.IsUniqueViolation(e))
        {
            // Another node over this database was faster; whose key it has is seen next.
        }
    }

    private sealed record VersionRow(string Component, int Version);
}
