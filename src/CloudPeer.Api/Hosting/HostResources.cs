namespace CloudPeer.Api.Hosting;

/// <summary>What a server owns; the last one taken is the first one disposed.</summary>
internal sealed class HostResources : IAsyncDisposable
{
    private readonly Stack<object> _owned = [];

    /// <summary>Makes something and takes it.</summary>
    public T Own<T>(Func<T> make)
        where T : class, IDisposable => Push(make());

    /// <inheritdoc cref="Own{T}(Func{T})" />
    public async Task<T> OwnAsync<T>(Func<Task<T>> make)
        where T : class, IAsyncDisposable => Push(await make());

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_owned.TryPop(out var resource)) return;
        try
        {
            if (resource is IAsyncDisposable later) await later.DisposeAsync();
            else ((IDisposable)resource).Dispose();
        }
        finally
        {
            // What fails to end does not keep the rest.
            await DisposeAsync();
        }
    }

    private T Push<T>(T resource)
        where T : class
    {
        _owned.Push(resource);
        return resource;
    }
}
