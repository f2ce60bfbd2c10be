using CloudPeer.Api.Hosting.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Npgsql;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Data;

/// <summary>
/// Everything but the relay's logs: rows are few, so EF Core is convenient here. It lies in <c>accounts.db</c> beside the relay's file, so that
/// it never stalls a group commit, or in the same PostgreSQL database. Features bring their entities; tables are made by numbered scripts
/// (<see cref="HostSchema"/>), because one list of scripts per database can be read, reviewed and rehearsed, and EF's migrations would need
/// a second project for the second database.
/// </summary>
internal sealed class HostDatabase(DbContextOptions<HostDatabase> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(HostDatabase).Assembly);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<AccountId>().HaveConversion<IdConverter<AccountId>>();
        configurationBuilder.Properties<PeerId>().HaveConversion<IdConverter<PeerId>>();
        configurationBuilder.Properties<MessageId>().HaveConversion<IdConverter<MessageId>>();
    }
}

/// <summary>Ids are 32 bytes in the database.</summary>
internal sealed class IdConverter<T>() : ValueConverter<T, byte[]>(id => id.Value.ToArray(), bytes => FromBytes(bytes))
    where T : struct, IId<T>
{
    private static T FromBytes(byte[] bytes) => Id.From<T>(bytes);
}

/// <summary>PostgreSQL when there is one, else SQLite in the data folder.</summary>
internal static class HostDatabaseFeature
{
    public static IServiceCollection AddHostDatabase(this IServiceCollection services, NpgsqlDataSource? postgres, DataFolder folder, PeerId server) =>
        services
            .AddPooledDbContextFactory<HostDatabase>(options =>
            {
                if (postgres is not null) options.UseNpgsql(postgres);
                else options.UseSqlite(SqliteConnectionString(folder)).AddInterceptors(new SqliteDurability());
            })
            .AddSingleton(new HostTables("host", "Data/Scripts"))
            .AddSingleton(provider => new HostSchema(
                provider.GetRequiredService<IDbContextFactory<HostDatabase>>(), provider.GetServices<HostTables>(), folder, server));

    private static string SqliteConnectionString(DataFolder folder) =>
        new SqliteConnectionStringBuilder { DataSource = folder.EnsureFile(HostSchema.SqliteFile) }.ConnectionString;
}
