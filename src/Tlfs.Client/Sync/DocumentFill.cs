using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
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

    // Where the first envelope lies of which the server did not give all that may be read; it is asked again from there.
    private ulong? _firstWithheld;

    /// <summary>Fetches what is missing. <see cref="Reason.SnapshotDispute"/> if the parts say something else than the snapshot did.</summary>
    /// <param name="connection">The server.</param>
    /// <param name="isNew">True if all of the document came from this server just now, so that its log has the order of this replica's.</param>
    /// <param name="cancellationToken">Cancels; the next call goes on.</param>
    public async Task RunAsync(CloudpeerConnection connection, bool isNew, CancellationToken cancellationToken)
    {
        var rights = home.Do(() => home.Fills.HasPartial(at.Document) ? Rights() : (Bytes32?)null);
        if (rights is not { } wanted) return;

        // With other rights other parts are lacking, and any may be; else only what came since.
        var (begun, next) = home.Do(() => home.Fills.Progress(at)) ?? (wanted, 0UL);
        var end = home.Do(() => home.Custody.Cursor(at).Pulled.Size);
        if (begun != wanted || next > end) next = 0;
        var lacking = home.Do(() => Lacking(next));
        if (lacking.Count > 0 && isNew && home.Do(() => Open().NewestSnapshot()) is { } newest)
        {
            foreach (var range in Uncovered(newest)) await FetchAsync(connection, range, null, cancellationToken);
            lacking = home.Do(() => Lacking(next));
        }

        _firstWithheld = null;
        foreach (var range in Ranges(lacking.Select(each => each.Index))) await FetchAsync(connection, range, wanted, cancellationToken);
        home.Do(() =>
        {
            home.Fills.Save(at, wanted, _firstWithheld ?? end);
            if (lacking.Count > 0) Compare();
        });
    }

    /// <summary>Envelopes of which the server gave no part that may be read here, when it was asked the last time; inside the gate.</summary>
    public IReadOnlyList<EnvelopeId> Withheld() =>
        home.Fills.Progress(at) is { } progress && progress.Next < home.Custody.Cursor(at).Pulled.Size ? [.. Lacking(progress.Next).Select(each => each.Id)] : [];

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

    // Places in the server's log, from one on, of what is here without a part that may be read.
    private IReadOnlyList<LogPlace> Lacking(ulong from)
    {
        var document = Open();
        return [.. home.Logs.Partial(at, from).Where(place => Lacks(document, place.Id))];
    }

    private bool Lacks(Document document, EnvelopeId id)
    {
        if (document.Find(id)?.Envelope is not { IsWhole: false } envelope) return false;
        return envelope.Header.Parts.Where((_, i) => !envelope.Has(i)).Any(part => document.Policy.MayRead(home.Keys.Device.Public, part.Zone));
    }

    // Places in the log of what the snapshot does not stand for, itself included.
    private List<(ulong From, ulong Until)> Uncovered(Snapshot snapshot) => home.Do(() =>
    {
        var log = Open().Log;
        return Ranges(Enumerable.Range(0, log.Count).Where(number => !log[number].Envelope.IsWhole && !snapshot.Covered.Contains(log[number].Envelope.Id)).Select(number => (ulong)number));
    });

    // Joined where they are near.
    private static List<(ulong From, ulong Until)> Ranges(IEnumerable<ulong> indexes)
    {
        var ranges = new List<(ulong From, ulong Until)>();
        foreach (var index in indexes)
        {
            if (ranges.Count > 0 && index - ranges[^1].Until <= Gap) ranges[^1] = (ranges[^1].From, index + 1);
            else ranges.Add((index, index + 1));
        }

        return ranges;
    }

    // With rights it is kept how far it went.
    private async Task FetchAsync(CloudpeerConnection connection, (ulong From, ulong Until) range, Bytes32? rights, CancellationToken cancellationToken)
    {
        await foreach (var page in connection.PullAsync(at.Document, new(range.From) { Until = range.Until, OmitOwn = true }, cancellationToken))
        {
            if (page.Entries.Count > 0) Take(page, rights);
        }
    }

    private void Take(PulledPage page, Bytes32? rights) => home.Do(() => home.Database.Write(() =>
    {
        Envelope[] known = [.. page.Entries.Select(entry => entry.Envelope).OfType<Envelope>().Where(envelope => home.Custody.Has(at.Document, envelope.Id))];
        if (known.Length > 0) home.Receive(at.Document, known);
        if (rights is not { } wanted) return true;
        var document = Open();
        for (var i = 0; i < page.Entries.Count && _firstWithheld is null; i++)
            if (Lacks(document, page.Entries[i].Id)) _firstWithheld = page.FirstIndex + (ulong)i;
        home.Fills.Save(at, wanted, _firstWithheld ?? page.FirstIndex + (ulong)page.Entries.Count);
        return true;
    }));

    // What is compared needs all parts that may be read.
    private void Compare()
    {
        var document = Open();
        if (document.NewestSnapshot() is not { } snapshot || document.Withheld().Any() || document.IsHonest(snapshot)) return;
        throw new TlfsException(
            Reason.SnapshotDispute, $"the snapshot that {snapshot.Maker} made leaves something out or brings something back; what is shown now comes from the changes themselves. Ask that person, or end their access");
    }
}
