using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace CloudPeer.TestKit;

/// <summary>
/// Finds TCP ports of the loopback address that nobody listens on. They lie below those that the system gives to connections by itself:
/// one of these could be taken between the answer and its use.
/// </summary>
public static class FreePort
{
    // Browsers refuse some ports up to 10080.
    private const int First = 10240;
    private const int Attempts = 1000;

    private static readonly int End = FirstOfTheSystem();
    private static readonly ConcurrentDictionary<int, bool> Given = [];

    /// <summary>One free port.</summary>
    public static int Next() => Next(1)[0];

    /// <summary>Several free ports. A process is never given the same port twice.</summary>
    /// <param name="count">How many; at least one.</param>
    public static IReadOnlyList<int> Next(int count)
    {
        var ports = new List<int>(count);
        for (var attempt = 0; attempt < Attempts && ports.Count < count; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            if (Given.TryAdd(port, true) && IsFree(port)) ports.Add(port);
        }

        return ports.Count == count ? ports : throw new InvalidOperationException($"no {count} free ports from {First} to {End}");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The first port that the system gives to connections: Linux says it, elsewhere it is higher than Linux's own default.</summary>
    private static int FirstOfTheSystem()
    {
        const string Range = "/proc/sys/net/ipv4/ip_local_port_range";
        const int Default = 32768;
        var first = File.Exists(Range) ? int.Parse(File.ReadAllText(Range).Split('\t')[0], CultureInfo.InvariantCulture) : Default;

        // A system that gives nearly all of them leaves no room below.
        return first > First + Attempts ? first : Default;
    }
}
