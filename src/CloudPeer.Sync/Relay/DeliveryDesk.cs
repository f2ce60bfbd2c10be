using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>A device said that it holds a log up to a size.</summary>
/// <param name="Device">The device.</param>
/// <param name="Size">It holds all entries below.</param>
/// <param name="Micros">When it said so, by the server's clock, microseconds since 1970.</param>
public sealed record Delivered(PeerId Device, ulong Size, ulong Micros)
{
    /// <summary>What of it stands for the log as it is now: a restore took back what was beyond (log.md §6.4).</summary>
    /// <param name="generations">The log's generations.</param>
    public Delivered Since(IEnumerable<StoredGeneration> generations) => this with
    {
        Size = generations.Where(generation => generation.Micros > Micros).Select(generation => generation.Log.Size).Append(Size).Min(),
    };

    /// <summary>What is known after these were said: the greatest size of each device, and of no more devices than may be.</summary>
    internal static IReadOnlyList<Delivered> Merge(IEnumerable<Delivered> known, IEnumerable<Delivered> said, int devices) =>
    [
        .. known.Concat(said).GroupBy(each => each.Device, (_, all) => all.MaxBy(each => (each.Size, each.Micros))!)
            .OrderByDescending(each => each.Micros).ThenBy(each => each.Device).Take(devices),
    ];
}

/// <summary>
/// Collects what devices acknowledge and stores it together, apart from the commits of envelopes (sync.md §8). What is not stored yet is known all the same;
/// a crash forgets at most an interval of it.
/// </summary>
internal sealed class DeliveryDesk(IRelayStore store, TimeProvider time, RelayLimits limits, Action<Exception> onFault) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private Dictionary<DocId, Dictionary<PeerId, Delivered>> _waiting = [];
    private int _count;
    private Task _storing = Task.CompletedTask;

    /// <summary>Takes note of an acknowledgement.</summary>
    public void Take(DocId document, Delivered said)
    {
        lock (_gate)
        {
            Keep(document, said);
            if (_storing.IsCompleted && !_stopping.IsCancellationRequested) _storing = StoreLaterAsync();
        }
    }

    /// <summary>What the devices of a document have acknowledged of its log as it is now, the newest first.</summary>
    public async Task<IReadOnlyList<Delivered>> ReadAsync(DocId document, CancellationToken cancellationToken)
    {
        var generations = await store.ReadGenerationsAsync(document, cancellationToken).ConfigureAwait(false);
        var stored = await store.ReadDeliveredAsync(document, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            IEnumerable<Delivered> waiting = _waiting.TryGetValue(document, out var devices) ? devices.Values : [];
            return Delivered.Merge(stored.Select(each => each.Since(generations)), waiting, limits.DeliveredDevices);
        }
    }

    /// <summary>Stores what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _storing.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void Keep(DocId document, Delivered said)
    {
        var devices = _waiting.GetValueOrDefault(document);
        if (devices?.TryGetValue(said.Device, out var earlier) == true)
        {
            if (earlier.Size <= said.Size) devices[said.Device] = said;
            return;
        }

        if (_count >= limits.WaitingAcks) return;
        if (devices is null) _waiting.Add(document, devices = []);
        devices.Add(said.Device, said);
        _count++;
    }

    private async Task StoreLaterAsync()
    {
        bool more;
        do
        {
            await Task.Delay(limits.AckInterval, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await StoreAsync().ConfigureAwait(false);
            lock (_gate)
            {
                // Decided here: whoever comes next either is seen or begins anew.
                more = _waiting.Count > 0 && !_stopping.IsCancellationRequested;
                if (!more) _storing = Task.CompletedTask;
            }
        }
        while (more);
    }

    private async Task StoreAsync()
    {
        Dictionary<DocId, Dictionary<PeerId, Delivered>> said;
        lock (_gate) (said, _waiting, _count) = (_waiting, [], 0);
        foreach (var some in said.Keys.Order().Chunk(64))
        {
            if (!await TryStoreAsync(said, some).ConfigureAwait(false)) break;
            foreach (var document in some) said.Remove(document);
        }

        // Tried again after the next interval, unless the server stops.
        lock (_gate)
        {
            foreach (var (document, devices) in said)
                foreach (var each in devices.Values) Keep(document, each);
        }
    }

    // False if it may be stored later. What never can be is reported and left out, alone: devices say it again.
    private async Task<bool> TryStoreAsync(Dictionary<DocId, Dictionary<PeerId, Delivered>> said, DocId[] documents)
    {
        try
        {
            await StoreAsync(said, documents).ConfigureAwait(false);
            return true;
        }
        catch (TlfsException fault) when (fault.IsTransient)
        {
            onFault(fault);
            return false;
        }
        catch (Exception) when (documents.Length > 1)
        {
            foreach (var document in documents)
                if (!await TryStoreAsync(said, [document]).ConfigureAwait(false)) return false;
            return true;
        }
        catch (Exception fault)
        {
            onFault(fault);
            return true;
        }
    }

    private async Task StoreAsync(Dictionary<DocId, Dictionary<PeerId, Delivered>> said, DocId[] documents)
    {
        var generations = new Dictionary<DocId, IReadOnlyList<StoredGeneration>>();
        foreach (var document in documents) generations[document] = await store.ReadGenerationsAsync(document, CancellationToken.None).ConfigureAwait(false);
        await store.UpdateDeliveredAsync(
            documents,
            (document, known) => Delivered.Merge(known.Select(each => each.Since(generations[document])), said[document].Values, limits.DeliveredDevices),
            CancellationToken.None).ConfigureAwait(false);
    }
}
