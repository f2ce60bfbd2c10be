using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>The last envelopes of a log and where they lie; a bounded memory, so what it does not know may still be in the log.</summary>
internal sealed class RecentIds(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<EnvelopeId, ulong> _places = [];
    private readonly Queue<EnvelopeId> _order = [];

    public int Count
    {
        get
        {
            lock (_gate) return _places.Count;
        }
    }

    public void Add(EnvelopeId id, ulong index)
    {
        lock (_gate)
        {
            if (!_places.TryAdd(id, index)) return;
            _order.Enqueue(id);
            if (_order.Count > capacity) _places.Remove(_order.Dequeue());
        }
    }

    public bool TryFind(EnvelopeId id, out ulong index)
    {
        lock (_gate) return _places.TryGetValue(id, out index);
    }
}
