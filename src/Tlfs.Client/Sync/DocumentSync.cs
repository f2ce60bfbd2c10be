using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>What became of a page of a server's log.</summary>
internal enum PageTaken
{
    /// <summary>It was taken, and the next one may come.</summary>
    All,
    /// <summary>It names own envelopes that are not here any more: pull them in full.</summary>
    LacksOwn,
    /// <summary>It is not the next one any more, because a generation took the log back: pull from there.</summary>
    WentBack,
}

/// <summary>
/// Brings one document and one server together: pull, verify, push what the server lacks, and pull again until a head confirms that both hold the
/// same (docs/protocol/sync.md). What goes wrong is in the result. One at a time for a document and server.
/// </summary>
internal sealed class DocumentSync(ReplicaHome home, Place at, string url)
{
    // A document with fewer envelopes comes as fast whole.
    private const ulong QuickFrom = 256;

    private readonly DocumentFill _fill = new(home, at);
    private LogCursor? _cursor;
    private LogFault? _fault;
    private RestoredLog? _restored;
    private readonly HashSet<EnvelopeId> _missing = [];
    private readonly HashSet<EnvelopeId> _waiting = [];
    private Reason? _gap;
    private DocumentPush? _push;
    private bool _isNew;
    private int _pushed;
    private int _pulled;

    /// <summary>Where the next pull begins.</summary>
    public ulong NextIndex => Cursor.Pulled.Size;

    /// <summary>The document and the server.</summary>
    public Place At => at;

    /// <summary>False if what is unsent is to wait.</summary>
    public bool Sends { get; init; } = true;

    /// <summary>When the server said that there may be room; null if it said nothing.</summary>
    public TimeSpan? RoomAfter => _push?.RoomAfter;

    private LogCursor Cursor => _cursor ??= home.Do(() => home.Custody.Cursor(at));

    /// <summary>Runs once from beginning to end.</summary>
    public async Task<SyncResult> RunAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        TlfsException? problem = null;
        try
        {
            if (home.Do(() => home.Custody.Fault(at))?.Reason == Reason.ServerRollback) await AskForGenerationsAsync(connection, cancellationToken);
            home.Do(ThrowIfDistrusted);
            _isNew = home.Do(() => NextIndex == 0 && home.Replica.Open(at.Document).Log.Count == 0);
            problem = await PullUnlessForbiddenAsync(connection, cancellationToken);
            if (problem is null)
            {
                await _fill.RunAsync(connection, _isNew, cancellationToken);
                _isNew = false;
                Maintain();
            }

            if (Sends) await (_push = Push(connection)).RunAsync(cancellationToken);
            if (_pushed > 0) await PullAsync(connection, omitOwn: true, cancellationToken);
            if (problem is null) await AcknowledgeAsync((size, token) => connection.AckAsync(at.Document, size, token), cancellationToken);
        }
        catch (TlfsException e)
        {
            problem ??= e;
            if (_fault is { Reason: Reason.ServerFork } fork) await ProveAsync(connection, fork, cancellationToken);
        }

        return Result(problem);
    }

    /// <summary>The result as it stands now.</summary>
    public SyncResult Result(TlfsException? problem) => home.Do(() => new SyncResult(
        at.Document, url, _pushed, _pulled, home.Custody.Head(at), home.Custody.UnsentCount(at), home.Custody.Refused(at), problem)
    {
        Missing = [.. _missing.Order()],
        Withheld = new DocumentFill(home, at).Withheld(),
        Restored = _restored,
    });

    /// <summary>Takes a page of the server's log: what it brings is durable when this returns.</summary>
    /// <param name="page">The page.</param>
    /// <param name="atLeast">What the log must have, as far as that was known when the page was asked for; 0 if it came by itself.</param>
    public PageTaken Take(PulledPage page, ulong atLeast = 0) => home.Do(() =>
    {
        if (page.Generation is { } generation)
        {
            TakeGeneration(generation);
            return PageTaken.All;
        }

        ThrowIfDistrusted();
        if (page.FirstIndex != NextIndex) return PageTaken.WentBack;
        if (page.Entries.Any(entry => entry.Envelope is null && !home.Custody.Has(at.Document, entry.Id))) return PageTaken.LacksOwn;
        var seen = Receive([.. page.Entries.Select(entry => entry.Envelope).OfType<Envelope>()]);
        foreach (var entry in page.Entries) Cursor.Append(entry.Id);
        Refuse(SeenHeads.Note(home, Cursor, seen));
        if (page.Head is not null)
        {
            CompareSeen(home.Logs.Seen(at));
            Refuse(Cursor.Accept(page.Head, atLeast));
            ThrowIfGap();
        }

        // What contradicts the server's own signatures, or has gaps, is not stored as its log. It is read on, since its head may prove more.
        if (Cursor.IsBroken || _gap is not null) return PageTaken.All;
        return home.Database.Write(() =>
        {
            home.Custody.MarkPulled(at, page.Entries.Select(entry => entry.Id));
            home.Custody.Save(Cursor, page.Head is null ? null : home.Options.Time.Micros());
            return PageTaken.All;
        });
    });

    /// <summary>
    /// Does what any member may do for the others: states who signed two envelopes with one number (docs/protocol/statements.md §4.11), gives keys to readers
    /// who have none (§5.7), brings split zones together, changes worn keys, and writes a snapshot when it is due.
    /// </summary>
    public void Maintain() => home.Do(() => home.Author(at.Document, author =>
    {
        author.StateEquivocations();
        author.WrapMissing();
        author.HealSplits();
        author.RotateWorn(epoch => home.Fills.IsOld(at.Document, epoch, home.Options.Time.Micros()));
        author.SnapshotIfDue();
        return true;
    }));

    /// <summary>Says up to where this device holds the document durably, if it may be seen (docs/protocol/sync.md §8). Whether that works does not matter.</summary>
    public async Task AcknowledgeAsync(Func<ulong, CancellationToken, Task> send, CancellationToken cancellationToken)
    {
        if (home.Do(() => home.ShowsDelivery && home.Custody.Acked(at) != NextIndex ? NextIndex : (ulong?)null) is not { } size) return;
        try
        {
            await send(size, cancellationToken);
            home.Do(() => home.Custody.SaveAcked(at, size));
        }
        catch (TlfsException)
        {
            // It is said again with the next sync.
        }
    }

    /// <summary>Keeps verified receipts; inside the gate.</summary>
    public void TakeReceipts(IReadOnlyList<Receipt> receipts)
    {
        foreach (var receipt in receipts) Refuse(Cursor.Take(receipt));
        home.Custody.MarkReceived(at, receipts);
        _pushed += receipts.Count;
    }

    private DocumentPush Push(CloudpeerConnection connection) =>
        new(home, at, (bundles, ifCurrent, statements, token) => connection.PushAsync(at.Document, bundles, token, ifCurrent, statements), TakeReceipts);

    // Before the first push the server does not know the document. Later it means that this device may not have it: what it
    // cannot send is then refused envelope by envelope, so that the outbox says why. Or a restored server never had it, and says so once it has it again.
    private async Task<TlfsException?> PullUnlessForbiddenAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await PullAsync(connection, omitOwn: true, cancellationToken);
            return null;
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            var mayHost = home.Do(() => home.Replica.Open(at.Document).Policy.May(home.Keys.Device.Public, Permission.Control));
            if (mayHost && home.Do(() => SeenHeads.NeverHeld(home, Cursor))) return null;
            if (mayHost && await Push(connection).OfferAnewAsync(cancellationToken))
            {
                await PullAsync(connection, omitOwn: true, cancellationToken);
                return null;
            }

            return new(Reason.NotFound, "the server does not have this document, or does not give it to you; ask its owner for a grant", e);
        }
    }

    private async Task PullAsync(CloudpeerConnection connection, bool omitOwn, CancellationToken cancellationToken)
    {
        var (taken, ended, begun, atLeast) = (PageTaken.All, false, false, 0UL);

        // What is seen from here on may be newer than what the server answers.
        var seen = home.Do(() => home.Logs.Seen(at));
        try
        {
            await foreach (var page in connection.PullAsync(at.Document, Wanted(omitOwn), cancellationToken))
            {
                if (page.Generation is null && !begun)
                {
                    begun = true;
                    home.Do(() => CompareSeen(seen));
                    atLeast = Cursor.AtLeast;
                }

                taken = Take(page, atLeast);
                if (taken != PageTaken.All) break;
                ended = page.Head is not null;
            }
        }
        catch (TlfsException) when (Cursor.IsBroken && _fault is null)
        {
            home.Do(() => Refuse(Cursor.Unfinished()));
        }

        if (taken == PageTaken.All && ended) return;
        if (taken == PageTaken.LacksOwn && !omitOwn) throw new TlfsException(Reason.Malformed, "the server sent ids where envelopes were asked for");
        await PullAsync(connection, taken != PageTaken.LacksOwn && omitOwn, cancellationToken);
    }

    // A large document that is new here comes without parts at first: a snapshot is shown before all of them are here.
    private PullOptions Wanted(bool omitOwn)
    {
        if (!_isNew) return new(NextIndex) { OmitOwn = omitOwn };
        if (NextIndex < QuickFrom) return new(NextIndex) { Until = QuickFrom };
        _fill.Begin();
        return new(NextIndex) { HeadersOnly = true };
    }

    // What another server brought meanwhile; only after the server has told of its generations, else what others saw of a new one would contradict the old.
    private void CompareSeen(IReadOnlyList<LogHead> seen)
    {
        foreach (var head in seen) Refuse(Cursor.PromiseSeen(head));
    }

    // Only a new generation makes a server that rolled back trusted again (docs/protocol/log.md §6.2).
    private async Task AskForGenerationsAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var page in connection.PullAsync(at.Document, new(NextIndex) { OmitOwn = true }, cancellationToken))
            {
                if (page.Generation is null) break;
                Take(page);
            }
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            // It says nothing, so it stays as it is.
        }
    }

    private void TakeGeneration(Generation generation)
    {
        var taken = Cursor.Take(generation, home.Options.Time.Micros());
        Refuse(taken.Fault);
        if (taken.IsNew) _restored = home.Custody.TakeBack(Cursor, generation, taken.Lost, home.Options.Time.Micros()) ?? _restored;
    }

    // The ids of the log that the server shows now prove, together with its head, that it is another one. Whether that works does not matter.
    private async Task ProveAsync(CloudpeerConnection connection, LogFault fork, CancellationToken cancellationToken)
    {
        if (fork.Evidence?.Verify() ?? true) return;
        try
        {
            var ids = new List<EnvelopeId>();
            await foreach (var page in connection.PullAsync(at.Document, new(0) { OmitOwn = true, HeadersOnly = true }, cancellationToken))
            {
                ids.AddRange(page.Entries.Select(entry => entry.Id));
                if (page.Head is { } head && LogCursor.Prove(fork, head, ids).Evidence is { } proven) home.Do(() => home.Evidence.Improve(at, proven));
            }
        }
        catch (TlfsException)
        {
            // The evidence stays as weak as it is.
        }
    }

    // Returns the log heads that the held ones among them have seen.
    private IReadOnlyList<LogHead> Receive(IReadOnlyList<Envelope> envelopes)
    {
        if (envelopes.Count == 0) return [];
        var known = envelopes.Count(envelope => home.Custody.Has(at.Document, envelope.Id));
        var outcomes = home.Receive(at.Document, envelopes);
        _pulled += outcomes.Count(outcome => outcome.IsHeld) - known;
        ThrowIfAltered(envelopes, outcomes);
        ThrowIfForked([.. envelopes.Where((_, i) => outcomes[i].Reason == Reason.Equivocation)]);

        // A server sends causes before effects. What still waits is not stored, so the cursor must not pass it.
        var waiting = envelopes.Where((_, i) => outcomes[i].Status == EnvelopeStatus.Pending).ToArray();
        if (waiting.Length > 0)
        {
            _gap ??= outcomes.First(outcome => outcome.Status == EnvelopeStatus.Pending).Reason;
            _waiting.UnionWith(waiting.Select(envelope => envelope.Id));
            _missing.UnionWith(waiting.SelectMany(envelope => envelope.Header.Deps.Concat(envelope.Header.Auth).Append(envelope.Header.Prev))
                .Where(id => id != default && !_waiting.Contains(id) && !home.Custody.Has(at.Document, id)));
        }

        LearnCards();
        return [.. envelopes.Where((_, i) => outcomes[i].IsHeld).Select(envelope => envelope.Header.Seen).OfType<LogHead>()];
    }

    // The id does not cover the signature, so root and head agree whatever stands in its place. What its author signed and is invalid all the same is passed
    // over, as everybody does.
    private static void ThrowIfAltered(IReadOnlyList<Envelope> envelopes, IReadOnlyList<Outcome> outcomes)
    {
        for (var i = 0; i < envelopes.Count; i++)
        {
            if (outcomes[i].Status != EnvelopeStatus.Invalid) continue;
            if (outcomes[i].Reason == Reason.WrongDocument) throw new TlfsException(Reason.WrongDocument, "the server sent a change of another document; try another cloudpeer");
            if (!envelopes[i].VerifySignature()) throw new TlfsException(Reason.BadSignature, "the server sent a change whose signature is wrong; try another cloudpeer");
        }
    }

    private void ThrowIfGap()
    {
        if (_gap is not { } gap) return;
        _cursor = null;
        _gap = null;
        throw new TlfsException(gap, "the server left out envelopes that others rest on; try another cloudpeer");
    }

    // The server shows other envelopes with numbers of this device: they were written before this replica was restored. What was written here since
    // counts nowhere, so it is noted as refused: it can be withdrawn, unless another server holds it.
    private void ThrowIfForked(IReadOnlyList<Envelope> others)
    {
        const string Message = "this device wrote other changes before it was restored; run doc withdraw, sync, then doc withdraw --reapply";
        var self = home.Keys.Device.Public;
        var other = others.Where(each => each.Header.Author == self && each.VerifySignature()).MinBy(each => each.Header.Seq);
        if (other is null) return;
        EnvelopeId[] own =
        [
            .. home.Replica.Open(at.Document).Log.Select(held => held.Envelope)
                .Where(each => each.Header.Author == self && each.Header.Seq >= other.Header.Seq).Select(each => each.Id),
        ];
        if (own.Any(each => home.Custody.IsHeld(at.Document, each))) return;
        home.Custody.SaveRefused(at, own.Select(each => new RefusedEnvelope(each, Reason.Equivocation, Message)));
        throw new TlfsException(Reason.Equivocation, Message);
    }

    private void LearnCards()
    {
        foreach (var grant in home.Replica.Open(at.Document).Policy.Grants)
        {
            if (grant.Actor is AccountActor person && AccountCard.TryDecode(person.Card, out var card, out _) && home.People.FindCard(card.Account) is null)
                home.People.SaveCard(card, null);
        }
    }

    private void Refuse(LogFault? fault)
    {
        if (fault is null) return;
        _fault = fault;
        home.Custody.SaveFault(at, fault, home.Options.Time.Micros());
        throw fault.ToException();
    }

    private void ThrowIfDistrusted()
    {
        if (home.Custody.Fault(at) is { } fault) throw fault;
    }
}
