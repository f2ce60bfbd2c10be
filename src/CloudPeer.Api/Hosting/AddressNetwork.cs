using System.Net;
using System.Net.Sockets;

namespace CloudPeer.Api.Hosting;

/// <summary>What counts as one address where callers are counted: an IPv4 address, or the /64 of an IPv6 address, since its single addresses cost nothing.</summary>
internal static class AddressNetwork
{
    private const int NetworkBytes = 8;

    /// <summary>The network of an address; one for all that have none.</summary>
    public static IPAddress Of(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily is not AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new(bytes);
    }
}
