using System.Net;
using CloudPeer.Api.Hosting.Settings;
using Microsoft.AspNetCore.Connections;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// Counts the open connections of each address, because one costs memory before anything was said on it. Those past the limit are closed at once. The proxies that
/// the operator trusts are not counted: everybody comes from them.
/// </summary>
internal sealed class ConnectionLimiter(ServerSettings settings)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _open = [];

    /// <summary>Stands before whatever a listener speaks.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        if (!TryEnter(address))
        {
            connection.Abort(new("too many connections from one address"));
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    };

    /// <summary>Counts one more until <see cref="Leave"/>; false if the address has all it may have.</summary>
    public bool TryEnter(IPAddress? address)
    {
        if (!IsCounted(address)) return true;
        var network = AddressNetwork.Of(address);
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(network);
            if (open >= settings.AddressConnections) return false;
            _open[network] = open + 1;
            return true;
        }
    }

    /// <summary>One connection of the address has ended.</summary>
    public void Leave(IPAddress? address)
    {
        if (!IsCounted(address)) return;
        var network = AddressNetwork.Of(address);
        lock (_gate)
        {
            if (_open[network] == 1) _open.Remove(network);
            else _open[network]--;
        }
    }

    private bool IsCounted(IPAddress? address) => settings.AddressConnections > 0 && !settings.IsTrustedProxy(address);
}
