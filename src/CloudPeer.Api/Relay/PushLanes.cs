using CloudPeer.Api.Hosting;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>
/// The pushes of one stream that are under way. Those of one document are queued for a commit one after the other, since each continues the last, and
/// wait for their answers side by side, as those of several documents do: so they share a group commit.
/// </summary>
internal sealed class PushLanes : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _slots = new(ServerLimits.PushesPerStream, ServerLimits.PushesPerStream);
    private readonly Dictionary<DocId, Lane> _lanes = [];

    /// <summary>Starts a push. Returns when there is room for the next one, not when it is done.</summary>
    /// <param name="document">The lane.</param>
    /// <param name="push">
    /// Is given what completes when the document's earlier pushes are answered; completes when the push is queued, with what completes when it is answered.
    /// Neither throws.
    /// </param>
    /// <param name="cancellationToken">Stops waiting for room.</param>
    public async Task RunAsync(DocId document, Func<Task, Task<Task>> push, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        lock (_lock)
        {
            foreach (var (idle, _) in _lanes.Where(lane => lane.Value.Answered.IsCompleted).ToList()) _lanes.Remove(idle);
            var earlier = _lanes.GetValueOrDefault(document, Lane.Empty);
            var queued = QueueAsync(earlier, push);
            _lanes[document] = new(queued, AnswerAsync(earlier.Answered, queued));
        }
    }

    /// <summary>Returns when all pushes are answered.</summary>
    public Task DrainAsync()
    {
        lock (_lock) return Task.WhenAll(_lanes.Values.Select(lane => lane.Answered));
    }

    /// <inheritdoc />
    public void Dispose() => _slots.Dispose();

    private static async Task<Task> QueueAsync(Lane earlier, Func<Task, Task<Task>> push)
    {
        await earlier.Queued;
        await Task.Yield();
        return await push(earlier.Answered);
    }

    private async Task AnswerAsync(Task earlier, Task<Task> queued)
    {
        await await queued;
        _slots.Release();
        await earlier;
    }

    /// <param name="Queued">Completes when the last push is queued.</param>
    /// <param name="Answered">Completes when all pushes are answered.</param>
    private readonly record struct Lane(Task Queued, Task Answered)
    {
        public static Lane Empty { get; } = new(Task.CompletedTask, Task.CompletedTask);
    }
}
