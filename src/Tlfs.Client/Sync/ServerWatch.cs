using System.Collections.Concurrent;
using CloudPeer.Sync.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>
/// Keeps all documents of one server up to date over one stream, and reconnects with backoff. Ends when cancelled, or when the server has no
/// document here any more.
/// </summary>
internal sealed class ServerWatch(
    ReplicaHome home, Connector connector, Mailbox mailbox, IReadOnlyCollection<DocId>? only, IProgress<SyncResult>? progress)
{
    private readonly ConcurrentDictionary<DocId, DocumentSync> _documents = [];

    public async Task RunAsync(string url, PeerId server, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(home.Options.Entropy, home.Options.Time);
        Reason? reported = null;
        while (!cancellationToken.IsCancellationRequested && Find(url, server) is { } target)
        {
            try
            {
                await using var connection = await connector.ConnectAsync(url, server, cancellationToken);
                backoff.Reset();
                reported = null;
                await ServeAsync(connection, target, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (TlfsException e)
            {
                if (reported != e.Reason) Report(target, e);
                reported = e.Reason;
                await PauseAsync(backoff, e, cancellationToken);
            }
        }
    }

    private Target? Find(string url, PeerId server) =>
        home.Do(() => Targets.All(home, only)).FirstOrDefault(target => target.Server == server && string.Equals(target.Url, url, StringComparison.Ordinal));

    private async Task ServeAsync(CloudpeerConnection connection, Target target, CancellationToken cancellationToken)
    {
        _documents.Clear();
        using var changes = new ChangeSignal(home);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await mailbox.ExchangeAsync(connection, target, cancellationToken);
        await using var live = await connection.StreamAsync(cancellationToken);
        var reading = ReadAsync(live);
        var writing = WriteAsync(connection, live, target, changes, stopping.Token);
        var first = await Task.WhenAny(reading, writing);
        await stopping.CancelAsync();
        await live.DisposeAsync();
        await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    // Sends what this server lacks, now and after every edit; documents that are new get their subscription. What found no room is sent again from time to time,
    // because whoever makes room, on another device or with another plan, does not tell.
    private async Task WriteAsync(CloudpeerConnection connection, LiveConnection live, Target target, ChangeSignal changes, CancellationToken cancellationToken)
    {
        var room = new RoomWait(home);
        do
        {
            var documents = Find(target.Url, target.Server)?.Documents ?? [];
            foreach (var document in documents)
            {
                if (_documents.TryGetValue(document, out var sync)) await PushAsync(live, sync, cancellationToken);
                else await BeginAsync(connection, live, new(home, new(document, target.Server), target.Url), cancellationToken);
            }

            foreach (var gone in _documents.Keys.Except(documents))
            {
                _documents.TryRemove(gone, out _);
                await live.UnsubscribeAsync(gone, cancellationToken);
            }

            if (target.IsOwn && home.Do(() => Targets.AnyIsLost(home, only))) await mailbox.FetchAsync(connection, cancellationToken);
            await mailbox.SendAsync(cancellationToken);
            if (room.IsNeeded(documents.Select(document => new Place(document, target.Server))) && target.IsOwn)
                await mailbox.RoomAsync(connection, target.Url, cancellationToken);
        }
        while (await changes.WaitAsync(cancellationToken, room.Next));
    }

    private async Task BeginAsync(CloudpeerConnection connection, LiveConnection live, DocumentSync sync, CancellationToken cancellationToken)
    {
        var result = await sync.RunAsync(connection, cancellationToken);
        progress?.Report(result);
        if (result.Error is { IsTransient: true } lost) throw lost;
        if (result.Pulled > 0) home.NotifyEdited();
        if (result.Error is not null) return;
        _documents[sync.At.Document] = sync;
        await live.SubscribeAsync(sync.At.Document, sync.NextIndex, omitOwn: true, cancellationToken);
    }

    private async Task PushAsync(LiveConnection live, DocumentSync sync, CancellationToken cancellationToken)
    {
        if (home.Do(() => home.Custody.UnsentCount(sync.At) == 0 || home.Custody.Fault(sync.At) is not null)) return;
        var before = home.Do(() => Waiting(sync.At));
        var push = new DocumentPush(home, sync.At, (bundles, ifCurrent, token) => live.PushAsync(sync.At.Document, bundles, token, ifCurrent), sync.TakeReceipts);
        await push.RunAsync(cancellationToken);

        // That there is still no room is no news.
        if (before.ForRoom == 0 || home.Do(() => Waiting(sync.At)) != before) progress?.Report(sync.Result(null));
    }

    private (int Unsent, int ForRoom) Waiting(Place at) => (home.Custody.UnsentCount(at), home.Custody.Refused(at).Count(refused => refused.WaitsForRoom));

    private async Task ReadAsync(LiveConnection live)
    {
        await foreach (var change in live.Events)
        {
            if (!_documents.TryGetValue(change.Document, out var sync)) continue;
            if (change.Page is null)
            {
                // It begins anew with the next thing that happens: a document that had no room has none to subscribe to yet.
                _documents.TryRemove(change.Document, out _);
                if (change.Refusal is { } refusal) progress?.Report(sync.Result(new(refusal.Reason, refusal.Message)));
                continue;
            }

            if (sync.Take(change.Page) != PageTaken.All) throw new TlfsException(Reason.Unavailable, "the log must be read from before; connecting anew");
            if (change.Page.Entries.Any(entry => entry.Envelope is not null))
            {
                sync.Maintain();
                home.NotifyEdited();
            }

            if (change.Page.Head is null) continue;
            progress?.Report(sync.Result(null));
            await sync.AcknowledgeAsync((size, token) => live.AckAsync(change.Document, size, token), CancellationToken.None);
        }
    }

    private void Report(Target target, TlfsException problem)
    {
        foreach (var document in target.Documents) progress?.Report(new DocumentSync(home, new(document, target.Server), target.Url).Result(problem));
    }

    private static async Task PauseAsync(Backoff backoff, TlfsException problem, CancellationToken cancellationToken)
    {
        try
        {
            await backoff.WaitAsync(problem, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The caller sees that it is cancelled.
        }
    }
}
