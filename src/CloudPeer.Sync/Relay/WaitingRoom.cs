using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Room in memory for pushes from their first check to their answer: bounded over all, and for each device, so that one alone cannot fill it.</summary>
internal sealed class WaitingRoom(RelayLimits limits)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, long> _byDevice = [];
    private long _bytes;

    /// <summary>False if there is no room; nothing is taken then.</summary>
    public bool TryEnter(PeerId device, long bytes)
    {
        lock (_gate)
        {
            var own = _byDevice.GetValueOrDefault(device) + bytes;
            if (_bytes + bytes > limits.WaitingBytes || own > limits.WaitingBytesPerDevice) return false;
            _byDevice[device] = own;
            _bytes += bytes;
            return true;
        }
    }

    /// <summary>Gives back what was taken.</summary>
    public void Leave(PeerId device, long bytes)
    {
        lock (_gate)
        {
            var own = _byDevice[device] - bytes;
            if (own == 0) _byDevice.Remove(device);
            else _byDevice[device] = own;
            _bytes -= bytes;
        }
    }
}
