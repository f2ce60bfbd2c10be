using CloudPeer.Api.Hosting;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>
/// The pushes of one stream that are under way: those of one document one after the other, since each continues the last, and those of
/// several documents side by side, so that they share a group commit.
/// </summary>
internal sealed class PushLanes : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _slots = new(ServerLimits.PushesPerStream, ServerLimits.PushesPerStream);
    private readonly Dictionary<DocId, Task> _lanes = [];

    /// <summary>Starts a push, after the document's earlier ones. Returns when there is room for the next one, not when it is done.</summary>
    /// <param name="document">The lane.</param>
    /// <param name="push">Never throws.</param>
    /// <param name="cancellationToken">Stops waiting for room.</param>
    public async Task RunAsync(DocId document, Func<Task> push, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        lock (_lock)
        {
            foreach (var (idle, _) in _lanes.Where(lane => lane.Value.IsCompleted).ToList()) _lanes.Remove(idle);
            _lanes[document] = AfterAsync(_lanes.GetValueOrDefault(document, Task.CompletedTask), push);
        }
    }

    /// <summary>Returns when all pushes are done.</summary>
    public Task DrainAsync()
    {
        lock (_lock) return Task.WhenAll(_lanes.Values);
    }

    /// <inheritdoc />
    public void Dispose() => _slots.Dispose();

    private async Task AfterAsync(Task earlier, Func<Task> push)
    {
        await earlier;
        await Task.Yield();
        await push();
        _slots.Release();
    }
}
