using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>What deleting a document came to.</summary>
/// <param name="FreedBytes">Bytes that its tenant has got back.</param>
public sealed record FreedRoom(ulong FreedBytes);

/// <summary>
/// Ends the hosting of documents (sync.md §6.4). The room is free with the commit; what is left of a large log is removed afterwards, a bounded number of
/// entries at a time, so that nobody else waits for it.
/// </summary>
internal sealed class DocumentDeleter : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly CommitContext _context;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _due = new(1);
    private readonly Task _purging;
    private bool _isDisposed;

    public DocumentDeleter(CommitContext context)
    {
        _context = context;
        _purging = Task.Run(RunAsync);
    }

    /// <summary>Deletes a document for a device of the tenant that hosts it, whatever it may do in the document: it gives up what it pays for.</summary>
    public async Task<Outcome<FreedRoom>> DeleteAsync(PeerId device, DocId document, CancellationToken cancellationToken)
    {
        var tenant = await _context.Tenants.FindByDeviceAsync(device, cancellationToken).ConfigureAwait(false);
        var transaction = await _context.Store.BeginAsync([document], [], cancellationToken).ConfigureAwait(false);
        ulong freed;
        await using (transaction.ConfigureAwait(false))
        {
            if (!transaction.Documents.TryGetValue(document, out var state) || tenant?.Account != state.Host) return Outcome.Refused<FreedRoom>(Refusal.NotFound);
            var (generation, micros) = await NextGenerationAsync(state, cancellationToken).ConfigureAwait(false);
            var host = await WithoutAsync(transaction, state, cancellationToken).ConfigureAwait(false);
            await transaction.DeleteAsync(new(state, host, generation, micros, _context.Limits.PurgeEntries), CancellationToken.None).ConfigureAwait(false);
            freed = state.StoredBytes;
        }

        _context.Cache.Forget(document);
        _context.Signals.Pulse(document);
        _due.Release();
        return Outcome.Of(new FreedRoom(freed));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _purging.ConfigureAwait(false);
        _stopping.Dispose();
        _due.Dispose();
    }

    // Later than all that was signed of the log, so that none of it counts against the next one.
    private async Task<(uint Number, ulong Micros)> NextGenerationAsync(DocumentState state, CancellationToken cancellationToken)
    {
        var generations = await _context.Store.ReadGenerationsAsync(state.Document, cancellationToken).ConfigureAwait(false);
        var last = await _context.Store.FindReceiptAsync(state.Document, state.Size - 1, cancellationToken).ConfigureAwait(false);
        return StoredGeneration.Next(
            generations.Count == 0 ? null : (generations[^1].Number, generations[^1].Micros), last?.Micros ?? 0, _context.Time.Micros() + 1);
    }

    // Should a counter have been wrong, it must not keep a tenant from making room; the nightly check finds it.
    private static async Task<UsageChange> WithoutAsync(IRelayTransaction transaction, DocumentState state, CancellationToken cancellationToken)
    {
        var usage = transaction.Usage.GetValueOrDefault(state.Host) ?? TenantUsage.Empty;
        var shares = state.Shares().Where(each => usage.Counted.HasFlag(each.Share.Kind)).ToDictionary(each => each.Share, each => each.Bytes);
        var before = await transaction.FindSharesAsync(state.Host, shares.Keys, cancellationToken).ConfigureAwait(false);
        return new(
            state.Host,
            usage with { StoredBytes = Less(usage.StoredBytes, state.StoredBytes), Documents = Less(usage.Documents, 1) },
            ShareKinds.None,
            shares.ToDictionary(pair => pair.Key, pair => Less(before.GetValueOrDefault(pair.Key), pair.Value)));
    }

    private static ulong Less(ulong all, ulong part) => all - Math.Min(all, part);

    // Also once at the start: another process may have stopped in the middle.
    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _due.WaitAsync(_stopping.Token).ConfigureAwait(false);
                while (!await TryPurgeAsync().ConfigureAwait(false)) await Task.Delay(RetryAfter, _context.Time, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What remains is removed after the next start.
        }
    }

    private async Task<bool> TryPurgeAsync()
    {
        try
        {
            while (await _context.Store.PurgeAsync(_context.Limits.PurgeEntries, _stopping.Token).ConfigureAwait(false)) _stopping.Token.ThrowIfCancellationRequested();
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _context.OnFault(e);
            return false;
        }
    }
}
