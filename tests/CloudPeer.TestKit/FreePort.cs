using System.Net;
using System.Net.Sockets;

namespace CloudPeer.TestKit;

/// <summary>Finds TCP ports of the loopback address that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>One free port. Another process may take it before you do: whoever binds it must cope with that.</summary>
    public static int Next() => Next(1)[0];

    /// <summary>Several free ports, all different.</summary>
    /// <param name="count">How many; at least one.</param>
    public static IReadOnlyList<int> Next(int count)
    {
        var listeners = new List<TcpListener>(count);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var listener = new TcpListener(IPAddress.Loopback, 0);
                listeners.Add(listener);
                listener.Start();
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
