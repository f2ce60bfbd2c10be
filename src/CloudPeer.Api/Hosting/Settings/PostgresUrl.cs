using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace CloudPeer.Api.Hosting.Settings;

/// <summary>Reads <c>postgres://user:password@host:port/name?option=value</c>.</summary>
internal static class PostgresUrl
{
    private const int DefaultPort = 5432;

    /// <summary>Npgsql's connection string, or what is wrong.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out string? connection, [NotNullWhen(false)] out string? fault)
    {
        connection = null;
        fault = "postgres://user:password@host:port/name is needed";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("postgres" or "postgresql")) return false;
        var name = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/'));
        var user = url.UserInfo.Split(':', 2);
        if (url.Host.Length == 0 || name.Length == 0 || user[0].Length == 0) return false;

        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host.Trim('[', ']'),
            Port = url.Port > 0 ? url.Port : DefaultPort,
            Username = Uri.UnescapeDataString(user[0]),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
            Database = name,
            ApplicationName = "cloudpeer",
            // The same few statements come over and over: the database plans each once per connection.
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 2,
            // Whatever is set is set for a transaction, so a session has nothing to forget before its next use.
            NoResetOnClose = true,
        };
        if (!TryAddOptions(builder, url.Query, out fault)) return false;
        connection = builder.ConnectionString;
        return true;
    }

    /// <summary>The address without its password; without anything when it cannot be read.</summary>
    public static string Mask(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0) return "not an address";
        var user = url.UserInfo.Split(':', 2);
        var shown = user.Length > 1 ? user[0] + ":***@" : user[0].Length > 0 ? user[0] + "@" : "";
        return $"{url.Scheme}://{shown}{url.Authority[(url.Authority.LastIndexOf('@') + 1)..]}{url.AbsolutePath}";
    }

    private static bool TryAddOptions(NpgsqlConnectionStringBuilder builder, string query, [NotNullWhen(false)] out string? fault)
    {
        fault = null;
        foreach (var option in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = option.Split('=', 2);
            var key = Uri.UnescapeDataString(parts[0]);
            try
            {
                builder[key] = Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : "");
            }
            catch (Exception e) when (e is ArgumentException or KeyNotFoundException or FormatException or InvalidCastException)
            {
                fault = $"its option '{key}' is not one of the database driver's or has no such value";
                return false;
            }
        }

        return true;
    }
}
