using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// Token buckets: one per device for calls with a session and for stream frames, one per address for calls without. A signature that
/// does not verify costs as much as many calls, since checking it is what such calls are after.
/// </summary>
internal sealed class CallLimiter : IDisposable
{
    private const int BurstSeconds = 10;
    private const int BadSignatureCost = 50;
    private const int NetworkBytes = 8;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly PartitionedRateLimiter<PeerId> _peers;
    private readonly PartitionedRateLimiter<IPAddress> _addresses;

    public CallLimiter(ServerSettings settings)
    {
        _peers = PartitionedRateLimiter.Create<PeerId, PeerId>(peer => Bucket(peer, settings.CallsPerSecond));
        _addresses = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => Bucket(address, settings.AddressCallsPerSecond));
    }

    /// <summary>Counts a call or frame of a device.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>.</exception>
    public void Take(PeerId peer) => Take(_peers, peer, 1);

    /// <summary>Counts a call without a session.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>.</exception>
    public void TakeForAddress(IPAddress? address) => Take(_addresses, Network(address), 1);

    /// <summary>Counts a signature of a device that did not verify; never refuses by itself.</summary>
    public void CountBadSignature(PeerId peer) => Count(peer, BadSignatureCost);

    /// <summary>Counts work that a device made the server do as so many calls; never refuses by itself.</summary>
    public void Count(PeerId peer, long calls)
    {
        for (var i = 0L; i < calls; i++)
        {
            using var lease = _peers.AttemptAcquire(peer);
            if (!lease.IsAcquired) return;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _peers.Dispose();
        _addresses.Dispose();
    }

    private static void Take<T>(PartitionedRateLimiter<T> limiter, T who, int permits)
    {
        using var lease = limiter.AttemptAcquire(who, permits);
        if (!lease.IsAcquired) throw new RefusedException(new(Reason.RateLimited, "too many calls; slow down") { RetryAfter = RetryAfter });
    }

    private static RateLimitPartition<T> Bucket<T>(T key, int perSecond)
        where T : notnull => perSecond == 0
        ? RateLimitPartition.GetNoLimiter(key)
        : RateLimitPartition.GetTokenBucketLimiter(key, _ => new()
        {
            TokenLimit = checked(perSecond * BurstSeconds),
            TokensPerPeriod = perSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            AutoReplenishment = true,
        });

    // A customer's IPv6 network is a /64: single addresses of it cost nothing.
    private static IPAddress Network(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily is not AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new(bytes);
    }
}
