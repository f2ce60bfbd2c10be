using System.Diagnostics;
using System.Threading.Channels;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Group commit without a timer: a commit starts at once when none is running, and what arrives meanwhile is the next one. A bundle that
/// fails a check leaves the batch alone; if the store fails, the whole batch is refused and nothing of it is acknowledged.
/// </summary>
internal sealed class Committer : IAsyncDisposable
{
    // Two processes that create the same document or tenant at the same moment: one of them tries again and finds it.
    private const int Attempts = 4;

    private readonly CommitContext _context;
    private readonly Channel<PendingBundle> _queue = Channel.CreateUnbounded<PendingBundle>(new() { SingleReader = true });
    private readonly Task _running;

    public Committer(CommitContext context)
    {
        _context = context;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Queues the bundles of one push, in order.</summary>
    public void Enqueue(IReadOnlyList<PendingBundle> bundles)
    {
        foreach (var bundle in bundles)
        {
            if (!_queue.Writer.TryWrite(bundle)) bundle.Refuse(Reason.Unavailable, "The server is stopping.");
        }
    }

    /// <summary>Finishes what is queued.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await CommitAsync(TakeBatch()).ConfigureAwait(false);
        }
    }

    private List<PendingBundle> TakeBatch()
    {
        var batch = new List<PendingBundle>();
        long bytes = 0, envelopes = 0;
        while (_queue.Reader.TryPeek(out var next))
        {
            bytes += next.Bytes;
            envelopes += next.Envelopes.Count;
            if (batch.Count > 0 && (bytes > _context.Limits.CommitBytes || envelopes > _context.Limits.CommitEnvelopes)) break;
            if (_queue.Reader.TryRead(out var bundle)) batch.Add(bundle);
        }

        return batch;
    }

    private async Task CommitAsync(List<PendingBundle> batch)
    {
        var began = Stopwatch.GetTimestamp();
        using var span = RelayMetrics.BeginCommit(batch);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                var commit = new CommitAttempt(_context, batch);
                if (await commit.RunAsync().ConfigureAwait(false)) return;
            }

            RefuseAll(batch, Refusal.Busy("Other servers over the same database were faster; try again."));
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            _context.OnFault(e);
            RefuseAll(batch, Refusal.Busy(e.Message) with { Reason = e.Reason });
        }
        catch (Exception e)
        {
            // A bug, or a damaged log: this batch is lost to its senders, and the next one must not be.
            _context.OnFault(e);
            RefuseAll(batch, new(Reason.Internal, "The server failed to store this."));
        }
        finally
        {
            _context.Metrics.Committed(batch, began);
        }
    }

    // Whether the commit became durable may be unknown: what is remembered of its documents must be read again, also by who follows them.
    private void RefuseAll(List<PendingBundle> batch, Refusal refusal)
    {
        foreach (var bundle in batch)
        {
            _context.Cache.Forget(bundle.Document);
            _context.Signals.Pulse(bundle.Document);
            bundle.Refuse(refusal);
        }
    }
}

/// <summary>What all commits of a relay share.</summary>
internal sealed record CommitContext(
    SigningKey Server, IRelayStore Store, ITenants Tenants, DocumentCache Cache, DocumentSignals Signals, ReceiptDesk Receipts, TimeProvider Time, RelayLimits Limits,
    Action<Exception> OnFault, RelayMetrics Metrics);
