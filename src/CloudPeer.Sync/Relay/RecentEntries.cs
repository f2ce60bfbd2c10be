using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// The end of a log in memory: where the last envelopes lie, and while somebody follows the document also the entries themselves, so that many
/// readers of one commit cost one write and no read. Bounded, so what it does not know may still be in the log.
/// </summary>
/// <param name="capacity">The most ids that are remembered.</param>
/// <param name="tailBytes">The most bytes of entries that are kept.</param>
internal sealed class RecentEntries(int capacity, int tailBytes)
{
    /// <summary>Bytes that count as one remembered id when the cache weighs a document.</summary>
    public const int BytesPerItem = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<EnvelopeId, ulong> _places = [];
    private readonly Queue<EnvelopeId> _order = [];
    private readonly List<LogEntry> _tail = [];
    private ulong _tailStart;
    private long _bytes;
    private bool _isFollowed;

    /// <summary>What it costs to keep, in ids.</summary>
    public int Weight
    {
        get
        {
            lock (_gate) return _places.Count + (int)(_bytes / BytesPerItem);
        }
    }

    /// <summary>Somebody waits for what comes next: entries are kept from now on, until they have filled the tail once without another call.</summary>
    public void Follow()
    {
        lock (_gate) _isFollowed = true;
    }

    /// <summary>Remembers where an envelope lies.</summary>
    public void Add(EnvelopeId id, ulong index)
    {
        lock (_gate) Remember(id, index);
    }

    /// <summary>Remembers where an envelope lies, and the entry if somebody follows. Entries come in the order of the log.</summary>
    public void Add(LogEntry entry, ulong index)
    {
        lock (_gate)
        {
            Remember(entry.Id, index);
            if (!_isFollowed || index != _tailStart + (ulong)_tail.Count) Clear(index);
            if (!_isFollowed) return;
            _tail.Add(entry);
            _bytes += entry.Bytes.Length;
            if (_bytes > tailBytes) DropHalf();
        }
    }

    /// <summary>The place of an envelope that is remembered.</summary>
    public bool TryFind(EnvelopeId id, out ulong index)
    {
        lock (_gate) return _places.TryGetValue(id, out index);
    }

    /// <summary>Entries from an index on, as <see cref="IRelayStore.ReadAsync"/> gives them; null if they are not all here.</summary>
    /// <param name="from">The first index.</param>
    /// <param name="size">The size of the log as the reader is to see it.</param>
    /// <param name="maxEntries">The most entries.</param>
    /// <param name="maxBytes">The most bytes; one entry may be larger.</param>
    public IReadOnlyList<LogEntry>? Read(ulong from, ulong size, int maxEntries, int maxBytes)
    {
        if (from >= size) return [];
        lock (_gate)
        {
            if (from < _tailStart || size > _tailStart + (ulong)_tail.Count) return null;
            var entries = new List<LogEntry>();
            long bytes = 0;
            for (var i = (int)(from - _tailStart); i < (int)(size - _tailStart) && entries.Count < maxEntries; i++)
            {
                bytes += _tail[i].Bytes.Length;
                if (entries.Count > 0 && bytes > maxBytes) break;
                entries.Add(_tail[i]);
            }

            return entries;
        }
    }

    private void Remember(EnvelopeId id, ulong index)
    {
        if (!_places.TryAdd(id, index)) return;
        _order.Enqueue(id);
        if (_order.Count > capacity) _places.Remove(_order.Dequeue());
    }

    private void Clear(ulong start)
    {
        _tail.Clear();
        _bytes = 0;
        _tailStart = start;
    }

    // Half at a time, so that the list is moved seldom. Whoever still follows says so again.
    private void DropHalf()
    {
        var count = 0;
        for (; count < _tail.Count && _bytes > tailBytes / 2; count++) _bytes -= _tail[count].Bytes.Length;
        _tail.RemoveRange(0, count);
        _tailStart += (ulong)count;
        _isFollowed = false;
    }
}
