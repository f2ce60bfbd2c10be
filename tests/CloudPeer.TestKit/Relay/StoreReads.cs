using System.Reflection;
using CloudPeer.Sync.Relay;

namespace CloudPeer.TestKit.Relay;

/// <summary>Stands before a store and counts how often entries are read from it.</summary>
public class StoreReads : DispatchProxy
{
    private IRelayStore _store = null!;
    private int _count;

    /// <summary>Calls of <see cref="IRelayStore.ReadAsync"/> so far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>A store that passes everything on, and its counter.</summary>
    public static (IRelayStore Store, StoreReads Reads) Before(IRelayStore store)
    {
        var before = Create<IRelayStore, StoreReads>();
        var reads = (StoreReads)(object)before;
        reads._store = store;
        return (before, reads);
    }

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name is nameof(IRelayStore.ReadAsync)) Interlocked.Increment(ref _count);
        return targetMethod.Invoke(_store, args);
    }
}
