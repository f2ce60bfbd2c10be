using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>Counts the open streams of each device, and the connected devices of each tenant, because an open stream costs memory even when nothing happens on it.</summary>
internal sealed class StreamCounter
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, int> _open = [];

    /// <summary>Counts one more until it is disposed.</summary>
    /// <param name="peer">The device.</param>
    /// <param name="tenant">The tenant that it belongs to; null if it belongs to none.</param>
    /// <exception cref="RefusedException">
    /// <see cref="Reason.RateLimited"/>: the device has all the streams it may have; <see cref="Reason.QuotaExceeded"/>: so many devices of its account are connected.
    /// </exception>
    public IDisposable Enter(PeerId peer, TenantInfo? tenant)
    {
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(peer);
            if (open == 0 && tenant is not null) ThrowIfFull(tenant);
            if (open >= ServerLimits.StreamsPerDevice)
                throw new RefusedException(new(Reason.RateLimited, $"a device may have {ServerLimits.StreamsPerDevice} streams at a time") { RetryAfter = RetryAfter });
            _open[peer] = open + 1;
        }

        return new Place(this, peer);
    }

    /// <summary>All that are open.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _open.Values.Sum();
        }
    }

    /// <summary>The devices of a tenant that have a stream open here.</summary>
    public ulong Connected(TenantInfo tenant)
    {
        lock (_gate) return (ulong)tenant.Devices.Count(_open.ContainsKey);
    }

    private void ThrowIfFull(TenantInfo tenant)
    {
        var (limit, connected) = (tenant.Limits.Devices, (ulong)tenant.Devices.Count(_open.ContainsKey));
        if (limit == 0 || connected < limit) return;
        throw new RefusedException(new(Reason.QuotaExceeded, "as many devices of the account are connected as its plan allows")
        {
            Quota = new(QuotaResource.Devices, limit, connected),
            RetryAfter = RetryAfter,
        });
    }

    private void Leave(PeerId peer)
    {
        lock (_gate)
        {
            if (_open[peer] == 1) _open.Remove(peer);
            else _open[peer]--;
        }
    }

    private sealed class Place(StreamCounter counter, PeerId peer) : IDisposable
    {
        private StreamCounter? _counter = counter;

        public void Dispose() => Interlocked.Exchange(ref _counter, null)?.Leave(peer);
    }
}
