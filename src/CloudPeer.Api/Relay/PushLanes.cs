using CloudPeer.Api.Hosting;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay;

/// <summary>A push that is queued for a commit.</summary>
/// <param name="Decided">Completes when it is stored or refused, whether or not the device reads that.</param>
/// <param name="Answered">Completes when the device was sent the answer. Never throws.</param>
internal readonly record struct QueuedPush(Task Decided, Task Answered);

/// <summary>
/// The pushes of one stream that are under way. Those of one document are queued for a commit one after the other, since each continues the last, and
/// wait for their answers side by side, as those of several documents do: so they share a group commit. A large one takes the place of several.
/// </summary>
internal sealed class PushLanes : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _slots = new(ServerLimits.PushesPerStream, ServerLimits.PushesPerStream);
    private readonly Dictionary<DocId, Lane> _lanes = [];

    /// <summary>Starts a push. Returns when there is room for the next one, not when it is done.</summary>
    /// <param name="document">The lane.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="push">Is given what completes when the document's earlier pushes are decided; completes when the push is queued. Never throws.</param>
    /// <param name="cancellationToken">Stops waiting for room.</param>
    public async Task RunAsync(DocId document, int bytes, Func<Task, Task<QueuedPush>> push, CancellationToken cancellationToken)
    {
        // Only one at a time waits here, so none waits for what another one waiting has taken.
        var slots = SlotsOf(bytes);
        for (var i = 0; i < slots; i++) await _slots.WaitAsync(cancellationToken);
        lock (_lock)
        {
            foreach (var (idle, _) in _lanes.Where(lane => lane.Value.Answered.IsCompleted).ToList()) _lanes.Remove(idle);
            var earlier = _lanes.GetValueOrDefault(document, Lane.Empty);
            var queued = QueueAsync(earlier, push);
            _lanes[document] = new(queued, DecideAsync(earlier.Decided, queued), AnswerAsync(earlier.Answered, queued, slots));
        }
    }

    /// <summary>Returns when all pushes are answered.</summary>
    public Task DrainAsync()
    {
        lock (_lock) return Task.WhenAll(_lanes.Values.Select(lane => lane.Answered));
    }

    /// <inheritdoc />
    public void Dispose() => _slots.Dispose();

    private static int SlotsOf(int bytes) => Math.Min(ServerLimits.PushesPerStream, 1 + (bytes / ServerLimits.PushSlotBytes));

    private static async Task<QueuedPush> QueueAsync(Lane earlier, Func<Task, Task<QueuedPush>> push)
    {
        await earlier.Queued;
        await Task.Yield();
        return await push(earlier.Decided);
    }

    private static async Task DecideAsync(Task earlier, Task<QueuedPush> queued)
    {
        await (await queued).Decided.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await earlier;
    }

    private async Task AnswerAsync(Task earlier, Task<QueuedPush> queued, int slots)
    {
        await (await queued).Answered;
        _slots.Release(slots);
        await earlier;
    }

    /// <param name="Queued">Completes when the last push is queued.</param>
    /// <param name="Decided">Completes when all pushes are decided.</param>
    /// <param name="Answered">Completes when all pushes are answered.</param>
    private readonly record struct Lane(Task Queued, Task Decided, Task Answered)
    {
        public static Lane Empty { get; } = new(Task.CompletedTask, Task.CompletedTask, Task.CompletedTask);
    }
}
