using System.Globalization;
using Npgsql;

namespace CloudPeer.TestKit;

/// <summary>A database of a <see cref="PostgresCluster"/>, in the two spellings that programs ask for.</summary>
/// <param name="Name">The database's name.</param>
/// <param name="ConnectionString">For Npgsql.</param>
/// <param name="Url">For <c>CLOUDPEER_DATABASE_URL</c>: <c>postgres://user:password@host:port/name</c>.</param>
public sealed record PostgresDatabase(string Name, string ConnectionString, string Url);

/// <summary>Where a server listens and who may do everything there.</summary>
internal sealed record PostgresEndpoint(string Host, int Port, string User, string Password)
{
    public PostgresDatabase Database(string name)
    {
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = Host,
            Port = Port,
            Username = User,
            Password = Password,
            Database = name,
            IncludeErrorDetail = true,
        };
        var url = string.Create(CultureInfo.InvariantCulture, $"postgres://{Escape(User)}:{Escape(Password)}@{Host}:{Port}/{Escape(name)}");
        return new PostgresDatabase(name, connection.ConnectionString, url);
    }

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
