using System.Collections.Concurrent;
using System.Reflection;
using CloudPeer.Sync.Relay;

namespace CloudPeer.TestKit.Relay;

/// <summary>A store that passes everything on, counts what it is asked, and lets a test tell what other processes have changed.</summary>
public class StoreProxy : DispatchProxy
{
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);
    private IRelayStore? _inner;
    private Func<Action<ChangedElsewhere>, CancellationToken, Task>? _watch;

    /// <summary>Wraps a store.</summary>
    /// <param name="inner">The store; not owned.</param>
    /// <param name="watch">Answers <see cref="IRelayStore.WatchAsync"/>; the store itself if null.</param>
    public static (IRelayStore Store, StoreProxy Proxy) Around(IRelayStore inner, Func<Action<ChangedElsewhere>, CancellationToken, Task>? watch = null)
    {
        var store = Create<IRelayStore, StoreProxy>();
        var proxy = (StoreProxy)(object)store;
        (proxy._inner, proxy._watch) = (inner, watch);
        return (store, proxy);
    }

    /// <summary>How often a member was called.</summary>
    public int Calls(string member) => _calls.GetValueOrDefault(member);

    /// <summary>How often the store was asked for anything but to commit.</summary>
    public int Reads => _calls.Where(call => call.Key is not (nameof(IRelayStore.BeginAsync) or nameof(IRelayStore.WatchAsync))).Sum(call => call.Value);

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _calls.AddOrUpdate(targetMethod!.Name, 1, (_, count) => count + 1);
        return _watch is not null && targetMethod.Name is nameof(IRelayStore.WatchAsync)
            ? _watch((Action<ChangedElsewhere>)args![0]!, (CancellationToken)args[1]!)
            : targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
