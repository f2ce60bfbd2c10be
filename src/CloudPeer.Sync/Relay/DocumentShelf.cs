using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Something that is costly to make of a document, kept for the documents used last. One caller at a time has a document's, so that it is not made twice
/// at once, and all of them together have a bounded weight.
/// </summary>
/// <typeparam name="T">What is kept.</typeparam>
/// <param name="capacity">The most that all may weigh.</param>
internal sealed class DocumentShelf<T>(long capacity) : IDisposable
    where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DocId, LinkedListNode<Slot>> _slots = [];
    private readonly LinkedList<Slot> _order = [];
    private long _weight;

    /// <summary>Waits until nobody else has the document's; dispose the lease soon.</summary>
    public async Task<Lease> EnterAsync(DocId document, CancellationToken cancellationToken)
    {
        var slot = Use(document);
        try
        {
            await slot.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new(this, slot);
        }
        catch
        {
            Leave(slot);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var slot in _order) slot.Turn.Dispose();
            _order.Clear();
            _slots.Clear();
        }
    }

    private Slot Use(DocId document)
    {
        lock (_gate)
        {
            if (_slots.TryGetValue(document, out var node)) _order.Remove(node);
            else _slots.Add(document, node = new(new(document)));
            _order.AddFirst(node);
            node.Value.Users++;
            return node.Value;
        }
    }

    private void Leave(Slot slot)
    {
        lock (_gate)
        {
            slot.Users--;
            if (slot is { Users: 0, Weight: 0 }) Remove(slot);
        }
    }

    // What is in use stays; the least recently used of the rest makes room.
    private bool TryWeigh(Slot slot, long weight)
    {
        lock (_gate)
        {
            var more = weight - slot.Weight;
            for (var node = _order.Last; node is not null && _weight + more > capacity;)
            {
                var candidate = node.Value;
                node = node.Previous;
                if (candidate.Users == 0) Remove(candidate);
            }

            if (more > 0 && _weight + more > capacity) return false;
            _weight += more;
            slot.Weight = weight;
            return true;
        }
    }

    private void Remove(Slot slot)
    {
        if (!_slots.Remove(slot.Document, out var node)) return;
        _order.Remove(node);
        _weight -= slot.Weight;
        slot.Turn.Dispose();
    }

    internal sealed class Slot(DocId document)
    {
        public DocId Document { get; } = document;

        public SemaphoreSlim Turn { get; } = new(1, 1);

        public T? Value { get; set; }

        public long Kept { get; set; }

        public long Weight { get; set; }

        public int Users { get; set; }
    }

    /// <summary>The only access to a document's, until it is disposed.</summary>
    internal sealed class Lease(DocumentShelf<T> shelf, Slot slot) : IDisposable
    {
        /// <summary>What is kept; null if nothing is.</summary>
        public T? Value => slot.Value;

        /// <summary>Makes room before something is made; false if there is none, because others are making something.</summary>
        public bool TryReserve(long weight) => shelf.TryWeigh(slot, Math.Max(weight, slot.Weight));

        /// <summary>Keeps what was made, within what was reserved.</summary>
        public void Keep(T? value, long weight) => (slot.Value, slot.Kept) = (value, weight);

        /// <inheritdoc />
        public void Dispose()
        {
            shelf.TryWeigh(slot, slot.Kept);
            slot.Turn.Release();
            shelf.Leave(slot);
        }
    }
}
