using System.Net;
using Tlfs.Core;

namespace CloudPeer.Sync.Client;

/// <summary>Addresses of servers.</summary>
public static class ServerUrl
{
    private const int MaxLength = 512;

    /// <summary>
    /// Reads an address as a person types it: <c>http://</c> or <c>https://</c>, a host, perhaps a port and a path. The result has no slash at its end,
    /// so that one server has one text.
    /// </summary>
    /// <param name="text">The address.</param>
    /// <param name="allowInsecure">Allows http to other machines than this one (docs/protocol/session.md §7).</param>
    /// <exception cref="TlfsException"><c>bad-argument</c>, <c>insecure-url</c>.</exception>
    public static string Parse(string text, bool allowInsecure)
    {
        var usable = text.Length <= MaxLength && Uri.TryCreate(text, UriKind.Absolute, out var url)
            && (url.Scheme is "http" or "https")
            && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0;
        if (!usable) throw new TlfsException(Reason.BadArgument, "an address looks like https://cloudpeer.example, without user, query or fragment");
        var normal = new Uri(text);
        if (normal.Scheme is "http" && !allowInsecure && !IsThisMachine(normal))
            throw new TlfsException(Reason.InsecureUrl, $"{normal.Host} is another machine: use https://, or allow http with --insecure");
        return normal.AbsoluteUri.TrimEnd('/');
    }

    private static bool IsThisMachine(Uri url) =>
        IPAddress.TryParse(url.Host.Trim('[', ']'), out var address)
            ? IPAddress.IsLoopback(address)
            : string.Equals(url.Host, "localhost", StringComparison.OrdinalIgnoreCase);
}
