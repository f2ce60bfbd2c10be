using System.Threading.Channels;
using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>An accepted bundle of which some envelopes were stored before, by another commit.</summary>
/// <param name="Bundle">The bundle, which waits for its answer.</param>
/// <param name="Places">The place of each of its envelopes.</param>
/// <param name="Fresh">Their receipts as far as this commit made them; null for what was stored before.</param>
internal sealed record RepeatedBundle(PendingBundle Bundle, IReadOnlyList<ulong> Places, Receipt?[] Fresh);

/// <summary>
/// Makes receipts again for what was stored before. Beside the commits, since it reads and hashes what a whole commit once signed: nobody waits for it but
/// who asks.
/// </summary>
internal sealed class ReceiptDesk : IAsyncDisposable
{
    private readonly IRelayStore _store;
    private readonly PeerId _server;
    private readonly Action<Exception> _onFault;
    private readonly Func<PeerId, long, bool> _charge;
    private readonly Channel<RepeatedBundle> _queue = Channel.CreateUnbounded<RepeatedBundle>();
    private readonly Task _running;

    public ReceiptDesk(IRelayStore store, PeerId server, int desks, Action<Exception> onFault, Func<PeerId, long, bool> charge)
    {
        (_store, _server, _onFault, _charge) = (store, server, onFault, charge);
        _running = Task.WhenAll(Enumerable.Range(0, desks).Select(_ => Task.Run(RunAsync)));
    }

    /// <summary>Answers the bundle soon. How many wait is bounded by the room for pushes.</summary>
    public void Enqueue(RepeatedBundle bundle)
    {
        if (!_queue.Writer.TryWrite(bundle)) bundle.Bundle.Refuse(Reason.Unavailable, "The server is stopping.");
    }

    /// <summary>Answers what is queued.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        // What was pushed together was stored together as a rule.
        StoredBatch? batch = null;
        await foreach (var asked in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                batch = await AnswerAsync(asked, batch).ConfigureAwait(false);
            }
            catch (TlfsException e) when (e.IsTransient)
            {
                _onFault(e);
                asked.Bundle.Refuse(e.Reason, e.Message);
            }
            catch (Exception e)
            {
                // A bug, or a damaged log: what was stored is stored, and who asked must not wait for ever.
                _onFault(e);
                asked.Bundle.Refuse(Reason.Internal, "The server failed to make the receipt again.");
            }
        }
    }

    private async Task<StoredBatch?> AnswerAsync(RepeatedBundle asked, StoredBatch? batch)
    {
        for (var i = 0; i < asked.Fresh.Length; i++)
        {
            if (asked.Fresh[i] is not null) continue;
            var (document, id, index) = (asked.Bundle.Document, asked.Bundle.Envelopes[i].Envelope.Id, asked.Places[i]);
            var stored = await _store.FindReceiptAsync(document, index, CancellationToken.None).ConfigureAwait(false);
            if (stored?.Place.Id != id)
            {
                // The document was deleted meanwhile; it may have been pushed anew since.
                asked.Bundle.Refuse(Refusal.NotFound);
                return batch;
            }

            if (batch?.IsOf(stored.Signature) != true)
            {
                batch = new(stored.ReceiptHashes, stored.Signature, _server);
                _charge(asked.Bundle.Pusher, 1);
            }

            asked.Fresh[i] = batch.Receipt(new(document, id, index, index + 1, stored.Root, stored.Micros), stored.Position);
        }

        asked.Bundle.Accept(asked.Fresh!);
        return batch;
    }
}
