using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Searches of a log, for one push, for what lies too far back to be remembered. They are paid for before they begin, in calls of the device, and only a few run
/// at a time: each may read the whole log.
/// </summary>
/// <param name="store">The logs.</param>
/// <param name="desks">How many run at a time; null for a commit, which searches only what was appended a moment ago.</param>
/// <param name="meter">Counts the entries that may be looked at; null for a commit.</param>
internal sealed class LogSearch(IRelayStore store, SemaphoreSlim? desks = null, StepMeter? meter = null)
{
    /// <summary>The places of envelopes in a log.</summary>
    /// <param name="state">The document.</param>
    /// <param name="ids">The envelopes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TlfsException"><see cref="Reason.RateLimited"/>: it was not paid for.</exception>
    public Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocumentState state, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken) =>
        RunAsync(state.Size, () => store.FindIdsAsync(state.Document, ids, cancellationToken), cancellationToken);

    /// <summary>The place of the envelope so many steps back in an author's chain; null if it is shorter.</summary>
    /// <param name="document">The document.</param>
    /// <param name="index">Where the walk begins.</param>
    /// <param name="steps">How far it goes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TlfsException"><see cref="Reason.RateLimited"/>: it was not paid for.</exception>
    public Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken) =>
        RunAsync(steps, () => store.WalkBackAsync(document, index, steps, cancellationToken), cancellationToken);

    private async Task<T> RunAsync<T>(ulong steps, Func<Task<T>> search, CancellationToken cancellationToken)
    {
        if (meter?.TryCount((long)steps) == false) throw new TlfsException(Reason.RateLimited, "the push names what lies far back in the log, and too much was searched for this device already");
        if (desks is null) return await search().ConfigureAwait(false);
        await desks.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await search().ConfigureAwait(false);
        }
        finally
        {
            desks.Release();
        }
    }
}
