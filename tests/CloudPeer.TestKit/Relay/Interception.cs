using System.Reflection;

namespace CloudPeer.TestKit.Relay;

/// <summary>Stands before an object: every call of its interface goes through a function of the test, which passes it on or does something else.</summary>
/// <example><code>
/// var store = Interception.Before(memory, (method, _, next) => method is nameof(IRelayStore.ReadAsync) ? throw failure : next());
/// </code></example>
public static class Interception
{
    /// <summary>The object with the function before it.</summary>
    /// <typeparam name="T">The interface.</typeparam>
    /// <param name="inner">The object; not owned.</param>
    /// <param name="take">Gets the method's name, the arguments, and what passes the call on; returns the call's result.</param>
    public static T Before<T>(T inner, Func<string, object?[], Func<object?>, object?> take)
        where T : class
    {
        var before = DispatchProxy.Create<T, InterceptingProxy>();
        ((InterceptingProxy)(object)before).Begin(inner, take);
        return before;
    }
}

/// <summary>What <see cref="Interception"/> puts before an object.</summary>
public class InterceptingProxy : DispatchProxy
{
    private object? _inner;
    private Func<string, object?[], Func<object?>, object?>? _take;

    internal void Begin(object inner, Func<string, object?[], Func<object?>, object?> take) => (_inner, _take) = (inner, take);

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _take!(targetMethod!.Name, args ?? [], () => targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null));
}
