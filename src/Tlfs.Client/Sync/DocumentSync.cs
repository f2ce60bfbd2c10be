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

/// <summary>
/// Brings one document and one server together: pull, verify, push what the server lacks, and pull again until a head confirms that both hold the
/// same (docs/protocol/sync.md). What goes wrong is in the result. One at a time for a document and server.
/// </summary>
internal sealed class DocumentSync(ReplicaHome home, Place at, string url)
{
    private LogCursor? _cursor;
    private int _pushed;
    private int _pulled;

    /// <summary>Where the next pull begins.</summary>
    public ulong NextIndex => Cursor.Pulled.Size;

    /// <summary>The document and the server.</summary>
    public Place At => at;

    private LogCursor Cursor => _cursor ??= home.Do(() => home.Custody.Cursor(at));

    /// <summary>Runs once from beginning to end.</summary>
    public async Task<SyncResult> RunAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        TlfsException? problem = null;
        try
        {
            home.Do(() => ThrowIfDistrusted());
            problem = await PullUnlessForbiddenAsync(connection, cancellationToken);
            if (problem is null) WrapMissing();
            var push = new DocumentPush(home, at, (bundles, ifCurrent, token) => connection.PushAsync(at.Document, bundles, token, ifCurrent), TakeReceipts);
            await push.RunAsync(cancellationToken);
            if (_pushed > 0) await PullAsync(connection, omitOwn: true, cancellationToken);
        }
        catch (TlfsException e)
        {
            problem ??= e;
        }

        return Result(problem);
    }

    /// <summary>The result as it stands now.</summary>
    public SyncResult Result(TlfsException? problem) => home.Do(() => new SyncResult(
        at.Document, url, _pushed, _pulled, home.Custody.Head(at), home.Custody.UnsentCount(at), home.Custody.Refused(at), problem));

    /// <summary>Takes a page of the server's log: what it brings is durable when this returns.</summary>
    /// <param name="page">The page.</param>
    /// <param name="live">True if it came by itself, not as the answer to a pull.</param>
    /// <returns>False if the page names own envelopes that are not here any more: pull them in full.</returns>
    public bool Take(PulledPage page, bool live = false) => home.Do(() =>
    {
        ThrowIfDistrusted();
        if (page.Entries.Any(entry => entry.Envelope is null && !home.Custody.Has(at.Document, entry.Id))) return false;
        Receive([.. page.Entries.Select(entry => entry.Envelope).OfType<Envelope>()]);
        foreach (var entry in page.Entries) Refuse(Cursor.Append(entry.Id));
        if (page.Head is not null) Refuse(Cursor.Accept(page.Head, mayBeEarlier: live));
        return home.Database.Write(() =>
        {
            home.Custody.MarkPulled(at, page.Entries.Select(entry => entry.Id));
            home.Custody.Save(Cursor, page.Head is null ? null : home.Options.Time.Micros());
            return true;
        });
    });

    /// <summary>Gives keys to readers who have none (docs/protocol/statements.md §5.7).</summary>
    public void WrapMissing() => home.Do(() => home.Author(at.Document, author =>
    {
        author.WrapMissing();
        return true;
    }));

    /// <summary>Keeps verified receipts; inside the gate.</summary>
    public void TakeReceipts(IReadOnlyList<Receipt> receipts)
    {
        foreach (var receipt in receipts) Refuse(Cursor.Promise(receipt.Leaf.Size, receipt.Leaf.Root));
        home.Custody.MarkReceived(at, receipts);
        _pushed += receipts.Count;
    }

    // Before the first push the server does not know the document. Later it means that this device may not have it: what it
    // cannot send is then refused envelope by envelope, so that the outbox says why.
    private async Task<TlfsException?> PullUnlessForbiddenAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await PullAsync(connection, omitOwn: true, cancellationToken);
            return null;
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            var mayHost = Cursor.Promised == 0 && home.Do(() => home.Replica.Open(at.Document).Policy.May(home.Keys.Device.Public, Permission.Control));
            return mayHost ? null : new(Reason.NotFound, "the server does not have this document, or does not give it to you; ask its owner for a grant", e);
        }
    }

    private async Task PullAsync(CloudpeerConnection connection, bool omitOwn, CancellationToken cancellationToken)
    {
        var complete = true;
        await foreach (var page in connection.PullAsync(at.Document, new(NextIndex) { OmitOwn = omitOwn }, cancellationToken))
        {
            complete = Take(page);
            if (!complete) break;
        }

        if (complete) return;
        if (!omitOwn) throw new TlfsException(Reason.Malformed, "the server sent ids where envelopes were asked for");
        await PullAsync(connection, omitOwn: false, cancellationToken);
    }

    private void Receive(IReadOnlyList<Envelope> envelopes)
    {
        if (envelopes.Count == 0) return;
        var known = envelopes.Count(envelope => home.Custody.Has(at.Document, envelope.Id));
        var outcomes = home.Receive(at.Document, envelopes);
        _pulled += outcomes.Count(outcome => outcome.IsHeld) - known;
        ThrowIfForked([.. envelopes.Where((_, i) => outcomes[i].Reason == Reason.Equivocation)]);

        // A server sends causes before effects. What still waits is not stored, so the cursor must not pass it.
        if (outcomes.FirstOrDefault(outcome => outcome.Status == EnvelopeStatus.Pending) is { Reason: { } missing })
            throw new TlfsException(missing, "the server sent an envelope without those that it rests on; try another cloudpeer");
        LearnCards();
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
        home.Custody.SaveFault(at, fault);
        throw fault.ToException();
    }

    private void ThrowIfDistrusted()
    {
        if (home.Custody.Fault(at) is { } fault) throw fault;
    }
}
