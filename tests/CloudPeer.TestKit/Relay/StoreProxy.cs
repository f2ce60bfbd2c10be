using System.Collections.Concurrent;
using CloudPeer.Sync.Relay;

namespace CloudPeer.TestKit.Relay;

/// <summary>A store that passes everything on, counts what it is asked, and lets a test tell what other processes have changed.</summary>
public sealed class StoreProxy
{
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);

    private StoreProxy()
    {
    }

    /// <summary>How often the store was asked for anything but to commit.</summary>
    public int Reads => _calls.Where(call => call.Key is not (nameof(IRelayStore.BeginAsync) or nameof(IRelayStore.WatchAsync))).Sum(call => call.Value);

    /// <summary>Wraps a store.</summary>
    /// <param name="inner">The store; not owned.</param>
    /// <param name="watch">Answers <see cref="IRelayStore.WatchAsync"/>; the store itself if null.</param>
    public static (IRelayStore Store, StoreProxy Proxy) Around(IRelayStore inner, Func<Action<ChangedElsewhere>, CancellationToken, Task>? watch = null)
    {
        var proxy = new StoreProxy();
        return (Interception.Before(inner, Take), proxy);

        object? Take(string method, object?[] arguments, Func<object?> next)
        {
            proxy._calls.AddOrUpdate(method, 1, (_, count) => count + 1);
            return watch is not null && method is nameof(IRelayStore.WatchAsync)
                ? watch((Action<ChangedElsewhere>)arguments[0]!, (CancellationToken)arguments[1]!)
                : next();
        }
    }

    /// <summary>How often a member was called.</summary>
    public int Calls(string member) => _calls.GetValueOrDefault(member);
}
