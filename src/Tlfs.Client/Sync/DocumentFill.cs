using CloudPeer.Sync.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// Fetches parts that were withheld: after a right to a zone came, and when a new device has begun with headers and a snapshot. What the snapshot does not
/// cover comes first, so that the document can be shown; the rest comes after, over several calls if need be, and then the snapshot is compared with it
/// (docs/protocol/envelope.md §5.3).
/// </summary>
internal sealed class DocumentFill(ReplicaHome home, Place at)
{
    // What lies between two wanted entries is fetched too, if it is not much: each pull costs a round trip.
    private const int Gap = 16;

    private const ulong Done = long.MaxValue;

    /// <summary>Fetches what is missing. <see cref="Reason.SnapshotDispute"/> if the parts say something else than the snapshot did.</summary>
    /// <param name="connection">The server.</param>
    /// <param name="isNew">True if all of the document came from this server just now, so that its log has the order of this replica's.</param>
    /// <param name="cancellationToken">Cancels; the next call goes on.</param>
    public async Task RunAsync(CloudpeerConnection connection, bool isNew, CancellationToken cancellationToken)
    {
        var rights = home.Do(() => home.Fills.HasPartial(at.Document) ? Rights() : (Bytes32?)null);
        if (rights is not { } wanted) return;

        // What is withheld at first is what may not be read.
        var (begun, next) = home.Do(() => home.Fills.Progress(at)) ?? (wanted, Done);
        if (begun != wanted) next = 0;
        var end = home.Do(() => home.Custody.Cursor(at).Pulled.Size);
        if (next < end && isNew && home.Do(() => Open().NewestSnapshot()) is { } newest) await FetchAsync(connection, Uncovered(newest), cancellationToken);
        if (next >= end)
        {
            home.Do(() => home.Fills.Save(at, wanted, Done));
            return;
        }

        await foreach (var page in connection.PullAsync(at.Document, new(next) { Until = end, OmitOwn = true }, cancellationToken))
        {
            if (page.Entries.Count == 0) continue;
            next += (ulong)page.Entries.Count;
            Take(page, next < end ? next : Done, wanted);
        }

        home.Do(Compare);
    }

    /// <summary>Takes note, before headers are pulled without their parts, that the parts are to come.</summary>
    public void Begin() => home.Do(() => home.Fills.Save(at, default, 0));

    private Document Open() => home.Replica.Open(at.Document);

    // The zones that may be read now: with others, other parts are withheld.
    private Bytes32 Rights()
    {
        var document = Open();
        byte[] zones = [.. document.Policy.Zones.Descendants(ZoneId.Root).Prepend(ZoneId.Root).Where(zone => document.Policy.MayRead(home.Keys.Device.Public, zone)).SelectMany(zone => zone.ToArray())];
        return Hashing.Sha256(zones);
    }

    // Places in the log of what the snapshot does not stand for, itself included, joined where they are near.
    private List<(ulong From, ulong Until)> Uncovered(Snapshot snapshot) => home.Do(() =>
    {
        var log = Open().Log;
        var ranges = new List<(ulong From, ulong Until)>();
        for (var number = 0; number < log.Count; number++)
        {
            if (log[number].Envelope.IsWhole || snapshot.Covered.Contains(log[number].Envelope.Id)) continue;
            var index = (ulong)number;
            if (ranges.Count > 0 && index - ranges[^1].Until <= Gap) ranges[^1] = (ranges[^1].From, index + 1);
            else ranges.Add((index, index + 1));
        }

        return ranges;
    });

    private async Task FetchAsync(CloudpeerConnection connection, List<(ulong From, ulong Until)> ranges, CancellationToken cancellationToken)
    {
        foreach (var (from, until) in ranges)
        {
            await foreach (var page in connection.PullAsync(at.Document, new(from) { Until = until, OmitOwn = true }, cancellationToken))
                Take(page, null, default);
        }
    }

    private void Take(PulledPage page, ulong? next, Bytes32 rights) => home.Do(() => home.Database.Write(() =>
    {
        Envelope[] known = [.. page.Entries.Select(entry => entry.Envelope).OfType<Envelope>().Where(envelope => home.Custody.Has(at.Document, envelope.Id))];
        if (known.Length > 0) home.Receive(at.Document, known);
        if (next is { } reached) home.Fills.Save(at, rights, reached);
        return true;
    }));

    // All parts that may be read are here.
    private void Compare()
    {
        var document = Open();
        if (document.NewestSnapshot() is not { } snapshot || document.Withheld().Any() || document.IsHonest(snapshot)) return;
        throw new TlfsException(
            Reason.SnapshotDispute, $"the snapshot that {snapshot.Maker} made leaves something out or brings something back; what is shown now comes from the changes themselves. Ask that person, or end their access");
    }
}
