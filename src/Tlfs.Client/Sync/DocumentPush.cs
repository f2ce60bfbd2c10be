using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// Sends bundles of one document, some of them only if the server has no statement that they have not seen, with the statements that show why it may take them,
/// and returns one result for each.
/// </summary>
internal delegate Task<IReadOnlyList<PushResult>> PushBundles(
    IReadOnlyList<IReadOnlyList<Envelope>> bundles, IReadOnlySet<int> ifCurrent, IReadOnlyList<Envelope> statements, CancellationToken cancellationToken);

/// <summary>
/// Pushes everything that the server is not known to hold, also what others wrote, in the order of the store. What is refused stays in the outbox
/// with its reason; only its author withdraws it (docs/protocol/sync.md §5).
/// </summary>
internal sealed class DocumentPush(ReplicaHome home, Place at, PushBundles push, Action<IReadOnlyList<Receipt>> takeReceipts)
{
    private const int RequestEnvelopes = 256;
    private const int RequestBytes = 1 << 20;

    // What a server takes in one push (docs/protocol/sync.md §2), and some room for what frames it.
    private const int MostEnvelopes = 512;
    private const int MostBytes = (4 << 20) - (64 << 10);

    private const int MostStatements = 4096;

    private readonly List<RefusedEnvelope> _kept = [];
    private IReadOnlyList<Envelope> _shown = [];
    private bool _asksToReturn;
    private long _sentTo;
    private bool _answered;
    private bool _refused;

    /// <summary>When the server said that there may be room; null if it said nothing.</summary>
    public TimeSpan? RoomAfter { get; private set; }

    /// <summary>Pushes until nothing is left to try. What was refused before and not again is not refused any more.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PushAllAsync(cancellationToken);
        }
        finally
        {
            if (_answered) home.Do(() => home.Custody.ReplaceRefused(at, _kept));
        }
    }

    private async Task PushAllAsync(CancellationToken cancellationToken)
    {
        if (!home.Do(IsNamed)) return;
        if (home.Do(() => !home.Custody.HoldsAny(at)) && !await OpenAsync(cancellationToken)) return;
        while (home.Do(NextBundles) is { Count: > 0 } bundles)
        {
            var (fitting, shown) = Beside(bundles);
            var refusals = await PushAsync(fitting, shown, cancellationToken);
            if (refusals.Any(refusal => refusal.Reason == Reason.NotHosted) && home.Do(IsToReturn)) continue;
            if (refusals.Any(Ends)) return;
        }
    }

    /// <summary>
    /// Offers a document that the server does not have any more, although it is known to have had it: its genesis, and what shows that this device may host it.
    /// What the receipt says is left to the next pull, and the rest to what is pushed after it.
    /// </summary>
    /// <returns>True if the server took it.</returns>
    public async Task<bool> OfferAnewAsync(CancellationToken cancellationToken)
    {
        var shown = home.Do(() => IsNamed() ? ShownForOpening() : []);
        if (shown.Count == 0) return false;
        var results = await push([[shown[0]]], new HashSet<int>(), shown, cancellationToken);
        return results.All(result => result.Refusal is null);
    }

    // Whom the genesis gives Control begins the document with it; anybody else shows besides what gives it.
    private async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        var shown = home.Do(ShownForOpening);
        return shown.Count <= 1 || (await PushAsync([[new(0, 0, shown[0])]], shown, cancellationToken)).Count == 0;
    }

    // The server was dismissed, and does not hold the grant yet that calls it back. Asked for again only after something was taken, for a log may dismiss a
    // server several times.
    private bool IsToReturn()
    {
        if (_asksToReturn) return false;
        var document = home.Replica.Open(at.Document);
        if (Holding(document.Policy).FirstOrDefault(grant => grant.Actor.Peer == at.Server && !IsHeld(grant.Id.Envelope)) is not { } grant) return false;
        Envelope[] shown = [.. document.UpTo(grant.Id.Envelope).Where(statement => !IsHeld(statement.Id))];
        if (!CanShow(shown)) return false;
        (_shown, _asksToReturn, _sentTo, _refused) = (shown, true, 0, false);
        _kept.Clear();
        return true;

        bool IsHeld(EnvelopeId id) => home.Custody.IsHeldBy(at, id);
    }

    // Whoever begins a document shows that it has Control; the genesis alone does not say so of somebody who was given it later (docs/protocol/sync.md §1.2).
    private IReadOnlyList<Envelope> ShownForOpening()
    {
        var document = home.Replica.Open(at.Document);
        if (Holding(document.Policy).FirstOrDefault(grant => grant.Permission >= Permission.Control && grant.Actor.Contains(home.Keys.Device.Public)) is not { } grant) return [];
        var shown = document.UpTo(grant.Id.Envelope);
        return CanShow(shown) ? shown : throw new TlfsException(
            Reason.TooLarge,
            $"what gives you the right to keep this document on the server has {shown.Count} statements, more than can be shown ({MostStatements}, {MostBytes} bytes); let somebody add the server who has controlled the document for longer");
    }

    private static bool CanShow(IReadOnlyList<Envelope> shown) => shown.Count <= MostStatements && Bytes(shown) + shown[0].Bytes.Length <= MostBytes;

    // Servers ask for rights in the whole document.
    private static IEnumerable<GrantStatus> Holding(PolicyView policy) => policy.Grants.Where(grant => grant.Holds && grant.Zone == ZoneId.Root && grant.Sub is null);

    // As many as have room in a push beside what is to be shown. One that is too large for that goes without, and is refused as it was.
    private (List<List<Unsent>> Bundles, IReadOnlyList<Envelope> Shown) Beside(List<List<Unsent>> bundles)
    {
        var bytes = Bytes(_shown);
        var fitting = bundles.TakeWhile(bundle => (bytes += Bytes(bundle)) <= MostBytes).ToList();
        return fitting.Count > 0 ? (fitting, _shown) : (bundles, []);
    }

    // What somebody said to be a server of the document is none until the document says so (docs/protocol/sync.md §1.4). A grant that has ended counts: its server
    // is told of the ending.
    private bool IsNamed() => home.Replica.Open(at.Document).Policy.Grants.Any(grant => grant.Valid && grant.Actor is PeerActor && grant.Actor.Peer == at.Server);

    private async Task<IReadOnlyList<Refusal>> PushAsync(IReadOnlyList<List<Unsent>> bundles, IReadOnlyList<Envelope> shown, CancellationToken cancellationToken)
    {
        IReadOnlyList<Envelope>[] envelopes = [.. bundles.Select(bundle => bundle.Select(each => each.Envelope).ToArray())];
        var ifCurrent = home.Do(() => Enumerable.Range(0, envelopes.Length).Where(i => envelopes[i].Any(IsNewZone)).ToHashSet());
        var results = await push(envelopes, ifCurrent, shown, cancellationToken);
        _sentTo = bundles[^1][^1].Row;
        Receipt[] receipts = [.. results.SelectMany(result => result.Receipts)];
        _answered = true;
        home.Do(() => takeReceipts(receipts));
        var taken = receipts.Select(receipt => receipt.Leaf.Envelope).ToHashSet();
        _kept.RemoveAll(each => taken.Contains(each.Envelope));
        if (taken.Count > 0) (_shown, _asksToReturn) = ([], false);
        for (var i = 0; i < results.Count; i++)
            if (results[i].Refusal is { } refusal && !IsTransient(refusal)) Keep(refusal, envelopes[i]);
        var refusals = results.Select(result => result.Refusal).OfType<Refusal>().ToArray();
        if (refusals.FirstOrDefault(IsTransient) is { } later) throw later.ToTlfsException();
        return refusals;
    }

    /// <summary>True for a statement that makes a zone.</summary>
    public static bool MakesZone(Envelope envelope) =>
        envelope.Header.Type == EnvelopeType.Policy && Statement.TryDecode(envelope.Body, AccountCard.Verify, out var statement, out _) && statement is ZoneCreate;

    // Zones are made online (docs/protocol/statements.md §4); one that a server has is passed on as it is.
    private bool IsNewZone(Envelope envelope) => MakesZone(envelope) && !home.Custody.IsHeld(at.Document, envelope.Id);

    private void Keep(Refusal refusal, IReadOnlyList<Envelope> bundle)
    {
        // Once something was refused, what rests on it is refused too: that is no reason of its own.
        var isConsequence = _refused && refusal.Reason is Reason.ChainBehind or Reason.DepsMissing or Reason.AuthorUnknown;
        _refused = true;
        if (isConsequence) return;
        _kept.AddRange(bundle.Select(envelope => new RefusedEnvelope(envelope.Id, refusal.Reason, refusal.Message) { Quota = refusal.Quota }));
        if (_kept[^1].WaitsForRoom) RoomAfter = refusal.RetryAfter;
    }

    private static bool IsTransient(Refusal refusal) => refusal.Reason is Reason.Unavailable or Reason.StorageFull or Reason.RateLimited;

    // Trying the rest would only be refused for the same reason.
    private static bool Ends(Refusal refusal) => refusal.Reason is Reason.QuotaExceeded or Reason.SubscriptionReadOnly or Reason.NotFound or Reason.NotHosted;

    // What no server can take is noted as refused, and passed over: what does not rest on it is sent all the same.
    private List<List<Unsent>> NextBundles()
    {
        while (true)
        {
            var bundles = ReadBundles();
            if (bundles.Count == 0 || Fits(bundles[0]))
            {
                var bytes = 0;
                return [.. bundles.TakeWhile((bundle, i) => Fits(bundle) && ((bytes += Bytes(bundle)) <= RequestBytes || i == 0))];
            }

            Keep(TooLarge(bundles[0]), [.. bundles[0].Select(each => each.Envelope)]);
            _sentTo = bundles[0][^1].Row;
            _answered = true;
        }
    }

    private List<List<Unsent>> ReadBundles()
    {
        var most = RequestEnvelopes;
        var rows = Decode(home.Custody.Unsent(at, _sentTo, most));
        var fills = rows.Count == most && rows[0].Bundle == rows[^1].Bundle;
        if (fills && (Fits(rows) || !IsSnapshot(rows[0]))) rows = Decode(home.Custody.Unsent(at, _sentTo, most = MostEnvelopes + 1));
        var bundles = rows.GroupBy(row => row.Bundle).Select(group => group.ToList()).SelectMany(bundle => Fits(bundle) ? [bundle] : Split(bundle)).ToList();

        // The last bundle may go on beyond what was read.
        if (rows.Count == most && bundles.Count > 1) bundles.RemoveAt(bundles.Count - 1);
        return bundles;
    }

    // Each envelope of a snapshot counts by itself, so a bundle that is too large can be sent in pieces wherever one is. The author's order stays as it is.
    private static IEnumerable<List<Unsent>> Split(List<Unsent> bundle)
    {
        var piece = new List<Unsent>();
        foreach (var each in bundle)
        {
            if (piece.Count > 0 && (IsSnapshot(each) || IsSnapshot(piece[^1])))
            {
                yield return piece;
                piece = [];
            }

            piece.Add(each);
        }

        yield return piece;
    }

    private static bool IsSnapshot(Unsent each) => each.Envelope.Header.Type == EnvelopeType.Snapshot;

    private static int Bytes(IReadOnlyList<Unsent> bundle) => bundle.Sum(each => each.Envelope.Bytes.Length);

    private static int Bytes(IReadOnlyList<Envelope> envelopes) => envelopes.Sum(each => each.Bytes.Length);

    private static bool Fits(List<Unsent> bundle) => bundle.Count <= MostEnvelopes && Bytes(bundle) <= MostBytes;

    private static Refusal TooLarge(List<Unsent> bundle) => new(
        Reason.TooLarge,
        $"one change has {bundle.Count} envelopes or more and {Bytes(bundle)} bytes, but at most {MostEnvelopes} and {MostBytes} can be sent as one; run doc withdraw, then make it again as several changes");

    private static List<Unsent> Decode(List<StoredEnvelope> rows) =>
    [
        .. rows.Select(row => Envelope.TryDecode(row.Bytes, out var envelope, out _)
            ? new Unsent(row.Row, row.Bundle, envelope)
            : throw new TlfsException(Reason.InputOutput, "the stored copy of a document is damaged; restore it or sync it anew")),
    ];

    private sealed record Unsent(long Row, long Bundle, Envelope Envelope);
}
