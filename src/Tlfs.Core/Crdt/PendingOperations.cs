using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>
/// The operations of an edit that is under way. Each is applied to the state at once, as part number 0, which no part has; what supersedes a pending
/// operation drops it instead of naming its dot. Everything can be rolled back, to a mark or altogether.
/// </summary>
internal sealed class PendingOperations(DocumentState state)
{
    /// <summary>One operation less than a part holds: sealing may put the schema before them.</summary>
    private const int MaxCount = Limits.Operations - 1;

    private readonly RadixTree _before = state.Snapshot();
    private readonly List<Operation?> _slots = [];
    private readonly List<(int Slot, Operation Operation, bool Added)> _journal = [];

    public int Count { get; private set; }

    /// <summary>The point to which <see cref="RollBack(int)"/> can return.</summary>
    public int Mark => _journal.Count;

    public IReadOnlyList<Operation> ToList() => [.. _slots.OfType<Operation>()];

    public void Add(Operation operation)
    {
        if (Count == MaxCount || _slots.Count > ushort.MaxValue) throw new TlfsException(Reason.TooLarge, $"one edit has at most {MaxCount} operations; make it in several");
        _slots.Add(null);
        _journal.Add((_slots.Count - 1, operation, true));
        Set(_slots.Count - 1, operation, true);
    }

    /// <summary>Takes dots away: drops pending operations, and names the others in removes at the path.</summary>
    public void Remove(StoragePath path, IEnumerable<LocalDot> dots)
    {
        var named = new List<Dot>();
        foreach (var dot in dots.ToList())
        {
            if (dot.IsPending) Drop(dot);
            else named.Add(state.Name(dot));
        }

        named.Sort();
        foreach (var chunk in named.Chunk(Limits.DotsPerRemove)) Add(new Remove(path, chunk));
    }

    /// <summary>Drops the dots that are pending and leaves the others alone.</summary>
    public void DropPending(IEnumerable<LocalDot> dots)
    {
        foreach (var dot in dots.Where(dot => dot.IsPending).ToList()) Drop(dot);
    }

    /// <summary>Takes all of it out of the state.</summary>
    public void RollBack() => state.Reset(_before);

    public void RollBack(int mark)
    {
        for (var i = _journal.Count - 1; i >= mark; i--)
        {
            var (slot, operation, added) = _journal[i];
            Set(slot, operation, !added);
        }

        _journal.RemoveRange(mark, _journal.Count - mark);
    }

    private void Drop(LocalDot dot)
    {
        int slot = dot.Index;
        var operation = _slots[slot]!;
        _journal.Add((slot, operation, false));
        Set(slot, operation, false);
    }

    private void Set(int slot, Operation operation, bool present)
    {
        var dot = LocalDot.Pending(slot);
        if (present) state.Add(dot, operation);
        else state.Withdraw(dot, operation);
        _slots[slot] = present ? operation : null;
        Count += present ? 1 : -1;
    }
}
