using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace CloudPeer.Sync.Relay;

// Up to where the devices of a document have fetched it (sync.md §8).
public sealed partial class DocumentRelay
{
    private readonly DeliveryDesk _deliveries;

    /// <summary>Takes note that a device holds a log up to a size. Known at once, durable a little later; null unless it is refused.</summary>
    /// <param name="device">Whose session it is.</param>
    /// <param name="document">The document.</param>
    /// <param name="size">The device holds all entries below; more than the log has is <see cref="Reason.BadArgument"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Refusal?> AckAsync(PeerId device, DocId document, ulong size, CancellationToken cancellationToken)
    {
        try
        {
            var current = await FindServedAsync(device, document, cancellationToken).ConfigureAwait(false);
            if (current is not null && size > current.State.Size) current = await _cache.LoadAsync(document, cancellationToken).ConfigureAwait(false);
            if (current is null) return Refusal.NotFound;
            if (size > current.State.Size) return new(Reason.BadArgument, "The log has fewer envelopes than are acknowledged.");
            _deliveries.Take(document, new(device, size, current.Now(_time)));
            return null;
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return Fault(e);
        }
    }

    /// <summary>What the devices that may have a document now have acknowledged, the newest first.</summary>
    public async Task<Outcome<IReadOnlyList<Delivered>>> DeliveredAsync(PeerId reader, DocId document, CancellationToken cancellationToken)
    {
        var read = await ForServedAsync<IReadOnlyList<Delivered>>(reader, document, async current =>
        {
            var all = await _deliveries.ReadAsync(document, cancellationToken).ConfigureAwait(false);
            var view = current.Policy.View;
            return new(Outcome.Of<IReadOnlyList<Delivered>>([.. all.Where(each => each.Size <= current.State.Size && view.MayAnywhere(each.Device, Permission.Sync))]), 0);
        }, cancellationToken).ConfigureAwait(false);
        return read.Outcome;
    }
}
