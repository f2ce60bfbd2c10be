using CloudPeer.Sync.Sessions;
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

    // By how much the clocks of the nodes over one database may differ (log.md §6.6).
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(1);

    // How often is looked for what another process began to remove and did not finish.
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(10);

    private readonly CommitContext _context;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _due = new(1);
    private readonly ITimer _timer;
    private readonly Task _purging;
    private bool _isDisposed;

    public DocumentDeleter(CommitContext context)
    {
        _context = context;
        _timer = context.Time.CreateTimer(_ => _due.Release(), null, PurgeInterval, PurgeInterval);
        _purging = Task.Run(RunAsync);
    }

    /// <summary>Deletes a document for a device of the tenant that hosts it, whatever its rights in the document: it is the tenant's room.</summary>
    public async Task<Outcome<FreedRoom>> DeleteAsync(PeerId device, DocId document, CancellationToken cancellationToken)
    {
        var tenant = await _context.Tenants.FindByDeviceAsync(device, cancellationToken).ConfigureAwait(false);

        // Asked without a lock first, so that nobody waits for what a stranger asks; with the lock it is decided.
        if (tenant is null || (await _context.Store.FindAsync(document, cancellationToken).ConfigureAwait(false))?.Host != tenant.Account)
            return Outcome.Refused<FreedRoom>(Refusal.NotFound);

        // One at a time: each holds a connection of the store and needs another one.
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (await DeleteAsync(tenant, document, cancellationToken).ConfigureAwait(false) is not { } freed) return Outcome.Refused<FreedRoom>(Refusal.NotFound);
            return Outcome.Of(new FreedRoom(freed));
        }
        finally
        {
            // Also after a failure: it may be deleted all the same.
            _context.Cache.ForgetDeleted(document);
            _context.Signals.Pulse(document);
            _due.Release();
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _purging.ConfigureAwait(false);
        _stopping.Dispose();
        _turn.Dispose();
        _due.Dispose();
    }

    private async Task<ulong?> DeleteAsync(TenantInfo tenant, DocId document, CancellationToken cancellationToken)
    {
        var transaction = await _context.Store.BeginAsync([document], [], cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            if (!transaction.Documents.TryGetValue(document, out var state) || state.Host != tenant.Account) return null;
            var (generation, micros) = await NextGenerationAsync(state, cancellationToken).ConfigureAwait(false);
            var host = await WithoutAsync(transaction, state, cancellationToken).ConfigureAwait(false);
            await transaction.DeleteAsync(new(state, host, generation, micros, _context.Limits.PurgeEntries), CancellationToken.None).ConfigureAwait(false);
            return state.StoredBytes;
        }
    }

    // Later than all that any node has signed of the log, so that none of it counts against the next one: heads are not stored, so it is by the clocks. What is
    // signed of the next one is not earlier (CachedDocument.NotBefore).
    private async Task<(uint Number, ulong Micros)> NextGenerationAsync(DocumentState state, CancellationToken cancellationToken)
    {
        var generations = await _context.Store.ReadGenerationsAsync(state.Document, cancellationToken).ConfigureAwait(false);
        var last = await _context.Store.FindReceiptAsync(state.Document, state.Size - 1, cancellationToken).ConfigureAwait(false);
        return StoredGeneration.Next(
            generations.Count == 0 ? null : (generations[^1].Number, generations[^1].Micros), last?.Micros ?? 0, _context.Time.Micros() + (ulong)ClockMargin.TotalMicroseconds);
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

    // At the start and once in a while, too: another process may have stopped in the middle.
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
