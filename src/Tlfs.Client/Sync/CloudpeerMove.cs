using CloudPeer.Sync.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// Moves an account from one cloudpeer to another (docs/protocol/sync.md §9). What is done is found from what is stored, so it may end anywhere and is
/// then gone on with. The old server is given up only after it was proven that the new one has it all, with the server's own word that it takes nothing more,
/// unless it did not take that: then it is named.
/// </summary>
internal sealed class CloudpeerMove(
    ReplicaHome home, Connector connector, SyncEngine engine, Mailbox mailbox, IProgress<MoveProgress>? progress)
{
    // Each time that others wrote while both servers were asked.
    private const int MaxRounds = 8;

    // Envelopes that a message names.
    private const int MaxNamed = 8;

    private readonly Relocations _relocations = new(home, connector);

    /// <summary>Moves, or goes on.</summary>
    public async Task<MoveResult> RunAsync(string from, string to, CancellationToken cancellationToken)
    {
        var source = ServerUrl.Parse(from, allowInsecure: true);
        var target = ServerUrl.Parse(to, home.Options.AllowInsecure);
        if (string.Equals(source, target, StringComparison.Ordinal)) throw new TlfsException(Reason.BadArgument, "that is the same cloudpeer twice");
        if (home.Do(() => Earlier(source, target)) is { } earlier) return earlier;
        while (true)
        {
            var ends = await JoinAsync(source, target, cancellationToken);
            Report(MoveStep.Joined);
            await CopyAsync(ends, MoveStep.Copied, cancellationToken);
            await TellAsync(ends, cancellationToken);
            await home.DoAsync(() => Switch(ends), cancellationToken);
            Report(MoveStep.Switched);
            await CopyAsync(ends, MoveStep.Proven, cancellationToken);
            await EmptyInboxAsync(ends.From, cancellationToken);
            if (await home.DoAsync(() => Finish(ends), cancellationToken) is not { } result) continue;
            Report(MoveStep.Finished);
            return result;
        }
    }

    // One that is finished says so again: whoever was cut off before the answer came is answered.
    private MoveResult? Earlier(string source, string target)
    {
        if (home.Cloudpeers.Find(source) is not null) return null;
        if (home.Moves.Find(source) is { IsFinished: true } move && string.Equals(move.TargetUrl, target, StringComparison.Ordinal)) return Result(move.Source);
        throw new TlfsException(Reason.CloudpeerNotFound, "that cloudpeer was not added; list them with: cloudpeer list");
    }

    private MoveResult Result(PeerId source)
    {
        var moved = home.Moves.Documents(source);
        var documents = moved.Select(each => each.Document).ToHashSet();
        return new(moved.Count, moved.Sum(each => (long)each.Envelopes), LeftAlone(source), home.Moves.Untold(source))
        {
            Waiting = [.. home.People.Outgoing().Where(each => each.Type == Relocation.MessageType && documents.Contains(each.Document)).Select(each => each.Message.To).Distinct().Order()],
            StillOpen = [.. home.Replica.Documents.Where(document => documents.Contains(document) && Targets.IsUntold(home, document, source))],
        };
    }

    private async Task<Ends> JoinAsync(string sourceUrl, string targetUrl, CancellationToken cancellationToken)
    {
        var (source, known) = home.Do(() => (home.Cloudpeers.Find(sourceUrl)!, home.Cloudpeers.Find(targetUrl)));
        await using var connection = await connector.ConnectAsync(targetUrl, known?.Server, cancellationToken);
        known ??= home.Do(() => home.Cloudpeers.Find(connection.Server));
        if (connection.Server == source.Server) throw new TlfsException(Reason.BadArgument, "both addresses are those of one cloudpeer");
        var app = known?.App ?? source.App;
        var entitlement = await connection.CreateAccountAsync(home.Keys.Card, app, cancellationToken);
        var target = new CloudpeerState(targetUrl, connection.Server, source.EveryDocument || known?.EveryDocument is true, app, entitlement);
        return await home.DoAsync(() => Join(source, target), cancellationToken);
    }

    // Each grant is durable by itself; which documents are under way is, before.
    private Ends Join(CloudpeerState source, CloudpeerState target)
    {
        var moving = home.Database.Write(() => Begin(source, target));
        foreach (var document in moving)
        {
            if (GrantsTo(document, target.Server).Count == 0) home.Author(document, author => author.Grant(new PeerActor(target.Server), Permission.Sync));
        }

        return new(new(source.Url, source.Server, true, moving), new(target.Url, target.Server, true, moving));
    }

    private DocId[] Begin(CloudpeerState source, CloudpeerState target)
    {
        home.Cloudpeers.Save(target);
        var isElsewhere = home.Moves.Find(source.Url) is { } before && !string.Equals(before.TargetUrl, target.Url, StringComparison.Ordinal);
        home.Moves.Begin(source.Server, source.Url, target.Url);
        if (isElsewhere) home.Moves.ForgetTold(source.Server);
        var kept = home.Replica.Documents.ToHashSet();
        foreach (var document in kept.Where(document => Moves(document, source.Server))) home.Moves.Add(source.Server, document);
        return [.. home.Moves.Documents(source.Server).Select(each => each.Document).Where(kept.Contains)];
    }

    // A document is this account's to move if it owns it, or gave the server its grant.
    private bool Moves(DocId document, PeerId source)
    {
        var grants = GrantsTo(document, source);
        var (policy, self) = (home.Replica.Open(document).Policy, home.Keys.Device.Public);
        return grants.Count > 0 && policy.May(self, Permission.Control) && (policy.May(self, Permission.Own) || grants.All(grant => grant.Statement.Author == self));
    }

    private IReadOnlyList<DocId> LeftAlone(PeerId source) => [.. home.Replica.Documents.Where(document => GrantsTo(document, source).Count > 0 && !Moves(document, source))];

    private IReadOnlyList<GrantStatus> GrantsTo(DocId document, PeerId server) =>
        [.. home.Replica.Open(document).Policy.Grants.Where(grant => grant.Holds && grant.Actor is PeerActor && grant.Actor.Peer == server)];

    private async Task CopyAsync(Ends ends, MoveStep step, CancellationToken cancellationToken)
    {
        IReadOnlyList<Compared> left = [.. ends.From.Documents.Select(document => new Compared(document, 0, [], [], Lacks: true))];
        for (var round = 1; left.Count > 0 && round <= MaxRounds; round++)
        {
            DocId[] documents = [.. left.Select(each => each.Document)];
            await FetchAsync(ends.From with { Documents = documents }, cancellationToken);
            await SendAsync(ends.To with { Documents = documents }, cancellationToken);
            left = await ProveAsync(ends, left, step, cancellationToken);
        }

        foreach (var each in left) Judge(ends, each, step);
    }

    // Returns those in which there was something new.
    private async Task<IReadOnlyList<Compared>> ProveAsync(Ends ends, IReadOnlyList<Compared> documents, MoveStep step, CancellationToken cancellationToken)
    {
        await using var from = await connector.ConnectAsync(ends.From.Url, ends.From.Server, cancellationToken);
        await using var to = await connector.ConnectAsync(ends.To.Url, ends.To.Server, cancellationToken);
        var left = new List<Compared>();
        foreach (var before in documents)
        {
            var compared = await CompareAsync(from, to, before, cancellationToken);
            if (compared.IsEqual) Done(ends, compared, step);
            else left.Add(compared);
        }

        return left;
    }

    private void Done(Ends ends, Compared compared, MoveStep step)
    {
        var isOpen = home.Do(() =>
        {
            home.Moves.MarkProven(ends.From.Server, compared.Document, compared.Envelopes);
            return step == MoveStep.Proven && Targets.IsUntold(home, compared.Document, ends.From.Server);
        });
        progress?.Report(new(isOpen ? MoveStep.StillOpen : step, compared.Document, compared.Envelopes));
    }

    // While the old server takes what others write, it may always be ahead: that matters only once it takes nothing more.
    private void Judge(Ends ends, Compared left, MoveStep step)
    {
        var (document, from) = (left.Document, ends.From.Server);
        var (takes, isTold) = home.Do(() => (GrantsTo(document, from).Count > 0 || Targets.IsUntold(home, document, from), GrantsTo(document, from).Count == 0));
        var meanwhile = isTold ? $"{ends.From.Url} was told that it is left, and is used here until all of it has come" : "nothing was given up";
        if (left.Stuck.Count > 0)
        {
            throw new TlfsException(
                Reason.Unavailable,
                $"{ends.From.Url} lists envelopes of {document} that it does not hand out, or that cannot be kept here: {string.Join(' ', left.Stuck.Take(MaxNamed))}; {meanwhile}. Ask its operator, or give them up by removing that cloudpeer instead of moving");
        }

        if (left.Lacks) throw new TlfsException(Reason.Unavailable, $"{ends.To.Url} does not list all that it was sent of {document}; {meanwhile}, try again");
        if (!takes) throw new TlfsException(Reason.Unavailable, $"{ends.From.Url} lists more of {document} each time that it is asked; {meanwhile}, try again");
        if (step == MoveStep.Proven) Done(ends, left, step);
    }

    // A server that is left may refuse what is new: it is full, perhaps, or not paid, or has been told to go. What it has is what counts.
    private async Task FetchAsync(Target from, CancellationToken cancellationToken)
    {
        foreach (var result in await engine.WithAsync(from, cancellationToken))
        {
            if (result.Error is { } error) throw error;
            if (result.Refused.FirstOrDefault(each => !each.WaitsForRoom && each.Reason is not Reason.NotHosted) is { } refused)
                throw new TlfsException(refused.Reason, $"{from.Url} refused what is new here, and it is not left before that is settled; nothing is lost: {refused.Message}");
        }
    }

    private async Task SendAsync(Target to, CancellationToken cancellationToken)
    {
        foreach (var result in await engine.WithAsync(to, cancellationToken))
        {
            if (result.Refused is [var refused, ..])
                throw new TlfsException(refused.Reason, $"{to.Url} refused what it must have before the other cloudpeer is given up; nothing is lost, and both are still used: {refused.Message}");
            if (result.Error is { } error) throw error;
        }
    }

    // Nobody looks there again.
    private async Task EmptyInboxAsync(Target from, CancellationToken cancellationToken)
    {
        await using var connection = await connector.ConnectAsync(from.Url, from.Server, cancellationToken);
        await mailbox.FetchAsync(connection, cancellationToken);
    }

    private async Task<Compared> CompareAsync(CloudpeerConnection from, CloudpeerConnection to, Compared before, CancellationToken cancellationToken)
    {
        var document = before.Document;
        var own = await home.DoAsync(() => home.Custody.Ids(document), cancellationToken);
        var ahead = await ReconcileAsync(from, document, own, cancellationToken) is { OnlyThere: var there } ? there : [];
        var lacking = await ReconcileAsync(to, document, own, cancellationToken) is { OnlyHere: var here } ? here : own;
        var unsendable = home.Do(() => lacking.Count(envelope => home.Replica.Open(document).Find(envelope) is { Envelope.IsWhole: false }));
        return unsendable == 0
            ? new(document, own.Count, ahead, [.. ahead.Intersect(before.Ahead)], lacking.Count > 0)
            : throw new TlfsException(Reason.NotAuthorised, $"{unsendable} changes have parts that this account may not fetch, and so cannot be moved; ask an owner for access to all of the document");
    }

    private async Task<LogDifference?> ReconcileAsync(CloudpeerConnection with, DocId document, IReadOnlyList<EnvelopeId> own, CancellationToken cancellationToken)
    {
        try
        {
            return await with.ReconcileAsync(document, own, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound && home.Do(() => SeenHeads.NeverHeld(home, home.Custody.Cursor(new(document, with.Server)))))
        {
            // It never had anything of the document.
            return null;
        }
    }

    private async Task TellAsync(Ends ends, CancellationToken cancellationToken)
    {
        DocId[] untold = home.Do(() => home.Moves.Documents(ends.From.Server).Where(each => !each.Told && ends.To.Documents.Contains(each.Document)).Select(each => each.Document).ToArray());
        var unfound = await _relocations.TellAsync(new(ends.To.Server, ends.To.Url), untold, ends.From.Url, cancellationToken);
        home.Do(() => home.Database.Write(() =>
        {
            foreach (var account in unfound) home.Moves.AddUntold(ends.From.Server, account);
            foreach (var document in untold) home.Moves.MarkTold(ends.From.Server, document);
            return true;
        }));
        Report(MoveStep.Told);
    }

    private bool Switch(Ends ends)
    {
        foreach (var document in ends.From.Documents)
        {
            foreach (var grant in GrantsTo(document, ends.From.Server)) home.Author(document, author => author.Revoke(grant.Id));
        }

        return true;
    }

    // Null if a document was made meanwhile that the old server was given.
    private MoveResult? Finish(Ends ends) => home.Database.Write(() =>
    {
        if (home.Replica.Documents.Any(document => Moves(document, ends.From.Server))) return null;
        foreach (var document in LeftAlone(ends.From.Server)) home.Custody.SaveAddress(document, new(ends.From.Server, ends.From.Url));
        home.Cloudpeers.Remove(ends.From.Url);
        home.Moves.Finish(ends.From.Server);
        return Result(ends.From.Server);
    });

    private void Report(MoveStep step) => progress?.Report(new(step, null, 0));

    /// <summary>Both servers, and the documents that are under way.</summary>
    private sealed record Ends(Target From, Target To);

    /// <summary>A document as both servers listed it.</summary>
    /// <param name="Document">The document.</param>
    /// <param name="Envelopes">Envelopes that are here.</param>
    /// <param name="Ahead">What only the old server lists.</param>
    /// <param name="Stuck">Those among them that it listed the time before already, and that did not come with what was fetched since.</param>
    /// <param name="Lacks">True if the new server does not list all that is here.</param>
    private sealed record Compared(DocId Document, int Envelopes, IReadOnlyCollection<EnvelopeId> Ahead, IReadOnlyList<EnvelopeId> Stuck, bool Lacks)
    {
        public bool IsEqual => Ahead.Count == 0 && !Lacks;
    }
}
