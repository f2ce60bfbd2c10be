using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>Counts the open streams of each device, because an open stream costs memory even when nothing happens on it.</summary>
internal sealed class StreamCounter
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, int> _open = [];

    /// <summary>Counts one more until it is disposed.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>: the device has all the streams it may have.</exception>
    public IDisposable Enter(PeerId peer)
    {
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(peer);
            if (open >= ServerLimits.StreamsPerDevice)
                throw new RefusedException(new(Reason.RateLimited, $"a device may have {ServerLimits.StreamsPerDevice} streams at a time") { RetryAfter = RetryAfter });
            _open[peer] = open + 1;
        }

        return new Place(this, peer);
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
