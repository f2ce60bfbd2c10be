using System.Reflection;
using System.Runtime.ExceptionServices;

namespace CloudPeer.TestKit.Relay;

/// <summary>Stands before an object: every call of its interface goes through a function of the test, which passes it on or does something else.</summary>
/// <typeparam name="T">The interface.</typeparam>
/// <example><code>
/// var store = Interception&lt;IRelayStore&gt;.Before(memory, (method, next) =&gt; { if (method is nameof(IRelayStore.ReadAsync)) reads++; return next(); });
/// </code></example>
public class Interception<T> : DispatchProxy
    where T : class
{
    private T _inner = null!;
    private Func<string, Func<object?>, object?> _take = null!;

    /// <summary>The object with the function before it.</summary>
    /// <param name="inner">The object.</param>
    /// <param name="take">Gets the method's name and what passes the call on, and returns the call's result.</param>
    public static T Before(T inner, Func<string, Func<object?>, object?> take)
    {
        var before = Create<T, Interception<T>>();
        var interception = (Interception<T>)(object)before;
        (interception._inner, interception._take) = (inner, take);
        return before;
    }

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _take(targetMethod!.Name, () =>
    {
        try
        {
            return targetMethod.Invoke(_inner, args);
        }
        catch (TargetInvocationException e) when (e.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
            throw;
        }
    });
}
