using System.Collections.Concurrent;
using CloudPeer.Sync.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>
/// Synchronises documents with their servers: all servers at once, the documents of one server one after the other. Then queued messages are sent
/// and inboxes fetched. A server that fails is tried again with backoff, as long as there is time, and does not hold up the others.
/// </summary>
internal sealed class SyncEngine(ReplicaHome home, Connector connector, Mailbox mailbox)
{
    private const int MaxPasses = 4;
    private const int MaxAttempts = 3;

    /// <summary>Runs until both sides of every pair hold the same, as far as that is possible within the timeout.</summary>
    /// <param name="options">How.</param>
    /// <param name="progress">Is told each result as it comes.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="unreached">Takes what went wrong with servers that have no document whose result could say so.</param>
    public async Task<IReadOnlyList<SyncResult>> RunAsync(
        SyncOptions options, IProgress<SyncResult>? progress, CancellationToken cancellationToken, ConcurrentQueue<SyncResult>? unreached = null)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, home.Options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var targets = await home.DoAsync(() => Prepare(options.Only), cancellationToken);
        var results = new Dictionary<Place, SyncResult>();
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            var round = await Task.WhenAll(targets.Select(target => RunAsync(target, progress, both.Token, unreached)));
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var (server, result) in round.SelectMany(each => each)) Merge(results, new(result.Document, server), result);

            // What one server brought may be news to another.
            var pulled = round.SelectMany(each => each).Where(each => each.Result.Pulled > 0).Select(each => each.Result.Document).ToHashSet();
            targets = home.Do(() => Behind(targets, pulled, results).Concat(New(options.Only, results)).ToArray());
            if (targets.Count == 0) break;
        }

        // What one server brought may show that another one lied.
        return home.Do(() => results.Where(pair => !IsLeft(pair.Key, results)).Select(pair => pair.Value.Error is null && home.Custody.Fault(pair.Key) is { } fault ? pair.Value with { Error = fault } : pair.Value).ToArray());
    }

    /// <summary>Tells a server once what it does not know yet; whether that works does not matter.</summary>
    public Task FarewellAsync(Target target, CancellationToken cancellationToken) => RunAsync(target, null, cancellationToken);

    /// <summary>Synchronises with one server only, once, and says what came of each document.</summary>
    public async Task<IReadOnlyList<SyncResult>> WithAsync(Target target, CancellationToken cancellationToken)
    {
        var unreached = new ConcurrentQueue<SyncResult>();
        var results = await RunAsync(target, null, cancellationToken, unreached);
        cancellationToken.ThrowIfCancellationRequested();
        return unreached.TryPeek(out var unread) ? throw unread.Problem! : [.. results.Select(each => each.Result)];
    }

    // Grants to own cloudpeers that a crash, another process or a new right left open.
    private IReadOnlyList<Target> Prepare(IReadOnlyCollection<DocId>? only)
    {
        foreach (var document in home.Replica.Documents) home.GrantHosting(document);
        return Targets.All(home, only);
    }

    private IReadOnlyList<Target> Behind(
        IReadOnlyList<Target> targets, HashSet<DocId> pulled, Dictionary<Place, SyncResult> results) =>
    [
        .. targets.Select(target => target with
        {
            Documents =
            [
                .. target.Documents.Where(document => pulled.Contains(document)
                    && results[new(document, target.Server)].Error is null && home.Custody.UnsentCount(new(document, target.Server)) > 0),
            ],
        }).Where(target => target.Documents.Count > 0),
    ];

    // Servers that a document has got meanwhile: somebody told where it is now.
    private IEnumerable<Target> New(IReadOnlyCollection<DocId>? only, Dictionary<Place, SyncResult> results) => Targets.All(home, only)
        .Select(target => target with { Documents = [.. target.Documents.Where(document => !results.ContainsKey(new(document, target.Server)))] })
        .Where(target => target.Documents.Count > 0);

    // What is still unsent to a server that was dismissed meanwhile is nobody's concern, if the document has gone elsewhere.
    private bool IsLeft(Place at, Dictionary<Place, SyncResult> results)
    {
        var places = Targets.PlacesOf(home, at.Document).ToArray();
        return results[at].Error is null && !places.Contains(at) && places.Any(results.ContainsKey);
    }

    private async Task<IReadOnlyList<(PeerId Server, SyncResult Result)>> RunAsync(
        Target target, IProgress<SyncResult>? progress, CancellationToken cancellationToken, ConcurrentQueue<SyncResult>? unreached = null)
    {
        var results = new List<(PeerId Server, SyncResult Result)>();
        void Add(SyncResult result)
        {
            results.Add((target.Server, result));
            progress?.Report(result);
        }

        try
        {
            await using var connection = await ConnectAsync(target, cancellationToken);
            foreach (var document in target.Documents) Add(await RunAsync(connection, target, document, cancellationToken));
            if (await ExchangeAsync(connection, target, cancellationToken) is not { } unread) return results;
            if (results.Count == 0) unreached?.Enqueue(SyncResult.OfServer(target.Url, null) with { Inbox = unread });
            else results[^1] = (target.Server, results[^1].Result with { Inbox = unread });
        }
        catch (Exception e) when (e is TlfsException or OperationCanceledException)
        {
            var problem = e as TlfsException ?? TimedOut(e);
            if (target.Documents.Count == 0) unreached?.Enqueue(SyncResult.OfServer(target.Url, problem));
            foreach (var document in target.Documents.Skip(results.Count)) Add(new DocumentSync(home, new(document, target.Server), target.Url).Result(problem));
        }

        return results;
    }

    // The inbox is no document's, so its problem is told beside theirs.
    private async Task<TlfsException?> ExchangeAsync(CloudpeerConnection connection, Target target, CancellationToken cancellationToken)
    {
        try
        {
            return await RetryAsync<TlfsException?>(
                async () =>
                {
                    await mailbox.ExchangeAsync(connection, target, cancellationToken);
                    return null;
                },
                cancellationToken);
        }
        catch (Exception e) when (e is TlfsException or OperationCanceledException)
        {
            return e as TlfsException ?? TimedOut(e);
        }
    }

    private Task<CloudpeerConnection> ConnectAsync(Target target, CancellationToken cancellationToken) =>
        RetryAsync(() => connector.ConnectAsync(target.Url, target.Server, cancellationToken), cancellationToken);

    private async Task<SyncResult> RunAsync(CloudpeerConnection connection, Target target, DocId document, CancellationToken cancellationToken)
    {
        var total = new SyncResult(document, target.Url, 0, 0, null, 0, [], null);
        try
        {
            total = await RetryAsync(
                async () =>
                {
                    var result = await new DocumentSync(home, new(document, target.Server), target.Url).RunAsync(connection, cancellationToken);
                    total = Sum(total, result);
                    return total.Error is { IsTransient: true } later ? throw later : total;
                },
                cancellationToken);
        }
        catch (TlfsException)
        {
            // The total carries it.
        }

        return total;
    }

    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(home.Options.Entropy, home.Options.Time);
        for (var attempts = 1; ; attempts++)
        {
            try
            {
                return await attempt();
            }
            catch (TlfsException e) when (e.Reason is Reason.Unreachable or Reason.Unavailable or Reason.RateLimited or Reason.Timeout && attempts < MaxAttempts)
            {
                await backoff.WaitAsync(e, cancellationToken);
            }
        }
    }

    private static void Merge(Dictionary<Place, SyncResult> results, Place at, SyncResult result) =>
        results[at] = results.TryGetValue(at, out var earlier) ? Sum(earlier, result) : result;

    private static SyncResult Sum(SyncResult earlier, SyncResult later) =>
        later with { Pushed = earlier.Pushed + later.Pushed, Pulled = earlier.Pulled + later.Pulled, Restored = later.Restored ?? earlier.Restored, Inbox = later.Inbox ?? earlier.Inbox };

    private static TlfsException TimedOut(Exception cancelled) => new(Reason.Timeout, "there was not enough time; what is left is sent by the next sync", cancelled);
}
