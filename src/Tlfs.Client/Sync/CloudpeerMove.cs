using CloudPeer.Sync.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Client.Sync;

/// <summary>
/// Moves an account from one cloudpeer to another (docs/protocol/sync.md §9). What is done is found from what is stored, so it may end anywhere and is
/// then gone on with. The old server is given up only after it was proven, with the server's own word that it takes nothing more, that the new one has it all.
/// </summary>
internal sealed class CloudpeerMove(
    ReplicaHome home, Connector connector, SyncEngine engine, Mailbox mailbox, IProgress<MoveProgress>? progress)
{
    // Each time that others wrote while both servers were asked.
    private const int MaxRounds = 8;

    private readonly Relocations _relocations = new(home, connector);
    private readonly HashSet<AccountId> _untold = [];

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
        return new(moved.Count, moved.Sum(each => (long)each.Envelopes), LeftAlone(source), [.. _untold.Order()]);
    }

    private async Task<Ends> JoinAsync(string sourceUrl, string targetUrl, CancellationToken cancellationToken)
    {
        var (source, known) = home.Do(() => (home.Cloudpeers.Find(sourceUrl)!, home.Cloudpeers.Find(targetUrl)));
        await using var connection = await connector.ConnectAsync(targetUrl, known?.Server, cancellationToken);
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
        var left = ends.From.Documents;
        for (var round = 1; left.Count > 0; round++)
        {
            if (round > MaxRounds) throw new TlfsException(Reason.Unavailable, "somebody keeps writing while documents are moved; nothing was given up, try again");
            await FetchAsync(ends.From with { Documents = left }, cancellationToken);
            await SendAsync(ends.To with { Documents = left }, cancellationToken);
            left = await ProveAsync(ends, left, step, cancellationToken);
        }
    }

    // Returns those in which there was something new.
    private async Task<IReadOnlyList<DocId>> ProveAsync(Ends ends, IReadOnlyList<DocId> documents, MoveStep step, CancellationToken cancellationToken)
    {
        await using var from = await connector.ConnectAsync(ends.From.Url, ends.From.Server, cancellationToken);
        await using var to = await connector.ConnectAsync(ends.To.Url, ends.To.Server, cancellationToken);
        var left = new List<DocId>();
        foreach (var document in documents)
        {
            if (await CompareAsync(from, to, document, cancellationToken) is not { } proven)
            {
                left.Add(document);
                continue;
            }

            home.Do(() => home.Moves.MarkProven(from.Server, document, proven));
            progress?.Report(new(step, document, proven));
        }

        return left;
    }

    // A server that is left may refuse what is new: it is full, perhaps, or has been told to go. What it has is what counts.
    private async Task FetchAsync(Target from, CancellationToken cancellationToken)
    {
        foreach (var result in await engine.WithAsync(from, cancellationToken))
        {
            if (result.Error is { } error) throw error;
            if (result.Refused.FirstOrDefault(each => each.Reason is not (Reason.QuotaExceeded or Reason.NotHosted)) is { } refused) throw Refused(from, refused);
        }
    }

    private async Task SendAsync(Target to, CancellationToken cancellationToken)
    {
        foreach (var result in await engine.WithAsync(to, cancellationToken))
        {
            if (result.Refused is [var refused, ..]) throw Refused(to, refused);
            if (result.Error is { } error) throw error;
        }
    }

    private static TlfsException Refused(Target by, RefusedEnvelope refused) =>
        new(refused.Reason, $"{by.Url} refused what it must have before the other cloudpeer is given up; nothing is lost, and both are still used: {refused.Message}");

    // Nobody looks there again.
    private async Task EmptyInboxAsync(Target from, CancellationToken cancellationToken)
    {
        await using var connection = await connector.ConnectAsync(from.Url, from.Server, cancellationToken);
        await mailbox.FetchAsync(connection, cancellationToken);
    }

    // How many envelopes were proven; null if there was something new.
    private async Task<int?> CompareAsync(CloudpeerConnection from, CloudpeerConnection to, DocId document, CancellationToken cancellationToken)
    {
        var own = await home.DoAsync(() => home.Custody.Ids(document), cancellationToken);
        if (await ReconcileAsync(from, document, own, cancellationToken) is { OnlyThere.Count: > 0 }) return null;
        if (await ReconcileAsync(to, document, own, cancellationToken) is not { OnlyHere: var lacking }) return null;
        if (lacking.Count == 0) return own.Count;
        var unsendable = home.Do(() => lacking.Count(envelope => home.Replica.Open(document).Find(envelope) is { Envelope.IsWhole: false }));
        return unsendable == 0
            ? null
            : throw new TlfsException(Reason.NotAuthorised, $"{unsendable} changes have parts that this account may not fetch, and so cannot be moved; ask an owner for access to all of the document");
    }

    private async Task<LogDifference?> ReconcileAsync(CloudpeerConnection with, DocId document, IReadOnlyList<EnvelopeId> own, CancellationToken cancellationToken)
    {
        try
        {
            return await with.ReconcileAsync(document, own, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound && home.Do(() => home.Custody.Cursor(new(document, with.Server)).AtLeast) == 0)
        {
            // It never had anything of the document.
            return null;
        }
    }

    private async Task TellAsync(Ends ends, CancellationToken cancellationToken)
    {
        DocId[] untold = home.Do(() => home.Moves.Documents(ends.From.Server).Where(each => !each.Told && ends.To.Documents.Contains(each.Document)).Select(each => each.Document).ToArray());
        _untold.UnionWith(await _relocations.TellAsync(new(ends.To.Server, ends.To.Url), untold, ends.From.Url, cancellationToken));
        home.Do(() => home.Database.Write(() =>
        {
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
}
