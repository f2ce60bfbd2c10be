using System.Collections.Concurrent;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>
/// Keeps all documents of one server up to date over one stream, and reconnects with backoff. What goes wrong with one document is tried again for that one
/// alone. Ends when cancelled, or when the server has no document here any more.
/// </summary>
internal sealed class ServerWatch(
    ReplicaHome home, Connector connector, Mailbox mailbox, IReadOnlyCollection<DocId>? only, IProgress<SyncResult>? progress)
{
    private readonly ConcurrentDictionary<DocId, FollowedDocument> _documents = [];
    private readonly Backoff _backoff = new(home.Options.Entropy, home.Options.Time);
    private Reason? _reported;

    public async Task RunAsync(string url, PeerId server, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && Find(url, server) is { } target)
        {
            try
            {
                await using var connection = await connector.ConnectAsync(url, server, cancellationToken);
                await ServeAsync(connection, target, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (TlfsException e)
            {
                if (_reported != e.Reason) Report(target, e);
                _reported = e.Reason;
                await PauseAsync(e, cancellationToken);
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
        await using var live = await connection.StreamAsync(cancellationToken);
        var mail = new MailWatch(home, mailbox, connection, target, only, problem => ReportInbox(target, problem), () => MailFetched(target));
        var reading = ReadAsync(live, changes);
        var writing = WriteAsync(connection, live, target, changes, mail, stopping.Token);
        var mailing = mail.RunAsync(stopping.Token);
        var first = await Task.WhenAny(reading, writing, mailing);
        await stopping.CancelAsync();
        await live.DisposeAsync();
        await Task.WhenAll(reading, writing, mailing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    // Only what came of it says that a connection works: one that opens and brings nothing is waited for longer each time.
    private void Progressed()
    {
        _backoff.Reset();
        _reported = null;
    }

    // Where there is no document, the inbox is what comes of it.
    private void MailFetched(Target target)
    {
        if (target.Documents.Count == 0) Progressed();
    }

    // Sends what this server lacks, now and after every edit; documents that are new get their subscription. What did not work is tried again from time to time.
    private async Task WriteAsync(
        CloudpeerConnection connection, LiveConnection live, Target target, ChangeSignal changes, MailWatch mail, CancellationToken cancellationToken)
    {
        do
        {
            var edited = changes.TakeEdited();
            var wantsRoom = false;
            var documents = Find(target.Url, target.Server)?.Documents ?? [];
            foreach (var document in documents)
            {
                var followed = _documents.GetOrAdd(document, _ => new(home));
                if (followed.MayBegin(edited))
                {
                    var sync = new DocumentSync(home, new(document, target.Server), target.Url) { Sends = followed.SendsAtBegin };
                    await BeginAsync(connection, live, sync, followed, cancellationToken);
                }
                else if (followed.MayPush(edited)) await PushAsync(live, followed, cancellationToken);
                else continue;
                wantsRoom |= followed.Room.Left is not null;
            }

            foreach (var gone in _documents.Keys.Except(documents))
            {
                if (_documents.TryRemove(gone, out var followed) && (followed.HasLeftover || followed.Following == Following.Yes))
                    await live.UnsubscribeAsync(gone, cancellationToken);
            }

            mail.Wake(wantsRoom);
        }
        while (await changes.WaitAsync(cancellationToken, _documents.Values.Min(followed => followed.Left)));
    }

    private async Task BeginAsync(CloudpeerConnection connection, LiveConnection live, DocumentSync sync, FollowedDocument followed, CancellationToken cancellationToken)
    {
        if (followed.HasLeftover) await live.UnsubscribeAsync(sync.At.Document, cancellationToken);
        followed.HasLeftover = false;
        var result = await sync.RunAsync(connection, cancellationToken);
        if (result.Error is { } lost && IsLost(lost)) throw lost;
        if (followed.Following != Following.Polled || result.Error is not null || result.Pulled + result.Pushed > 0) Tell(followed, result);
        if (result.Pulled > 0) home.NotifyEdited();
        NoteRoom(followed, sync.At, sync.RoomAfter);
        if (result.Error is not null || result.Head is null)
        {
            // Without a head there is nothing to subscribe to: it was not taken for want of room, or of a right.
            followed.Drop(hasLeftover: false, result.Error?.RetryAfter);
            return;
        }

        followed.Follow(sync);
        await live.SubscribeAsync(sync.At.Document, sync.NextIndex, omitOwn: true, cancellationToken, sync);
    }

    private async Task PushAsync(LiveConnection live, FollowedDocument followed, CancellationToken cancellationToken)
    {
        if (followed.Sync is not { } sync) return;
        if (home.Do(() => home.Custody.UnsentCount(sync.At) == 0 || home.Custody.Fault(sync.At) is not null))
        {
            followed.Push.Reset();
            followed.Room.Reset();
            return;
        }

        var before = home.Do(() => Waiting(sync.At));
        var push = new DocumentPush(home, sync.At, (bundles, ifCurrent, statements, token) => live.PushAsync(sync.At.Document, bundles, token, ifCurrent, statements), sync.TakeReceipts);
        try
        {
            await push.RunAsync(cancellationToken);
        }
        catch (TlfsException e) when (!IsLost(e) && !live.HasEnded)
        {
            followed.Push.Later(e.RetryAfter);
            Tell(followed, sync.Result(e));
            return;
        }

        followed.Push.Reset();
        NoteRoom(followed, sync.At, push.RoomAfter);
        var after = home.Do(() => Waiting(sync.At));
        if (after.Unsent < before.Unsent) Progressed();

        // That there is still no room is no news.
        if (before.ForRoom == 0 || after != before) Tell(followed, sync.Result(null));
    }

    private void NoteRoom(FollowedDocument followed, Place at, TimeSpan? hint)
    {
        if (home.Do(() => Waiting(at)).ForRoom > 0) followed.Room.Later(hint);
        else followed.Room.Reset();
    }

    private (int Unsent, int ForRoom) Waiting(Place at) => (home.Custody.UnsentCount(at), home.Custody.Refused(at).Count(refused => refused.WaitsForRoom));

    private async Task ReadAsync(LiveConnection live, ChangeSignal changes)
    {
        await foreach (var change in live.Events)
        {
            // What a subscription brings after it was given up is nobody's.
            if (!_documents.TryGetValue(change.Document, out var followed) || followed.Sync is not { } sync || !ReferenceEquals(sync, change.Tag)) continue;
            if (change.Page is null)
            {
                End(followed, sync, change.Refusal);
                changes.Nudge();
                continue;
            }

            try
            {
                if (await TakeAsync(live, followed, sync, change.Page)) continue;
                followed.Drop(hasLeftover: true);
            }
            catch (TlfsException e)
            {
                followed.Drop(hasLeftover: true, e.RetryAfter);
                Tell(followed, sync.Result(e));
            }

            changes.Nudge();
        }
    }

    // False if the log must be read from before.
    private async Task<bool> TakeAsync(LiveConnection live, FollowedDocument followed, DocumentSync sync, PulledPage page)
    {
        if (sync.Take(page) != PageTaken.All) return false;
        if (page.Entries.Any(entry => entry.Envelope is not null))
        {
            sync.Maintain();
            home.NotifyEdited();
        }

        if (page.Head is null) return true;
        Progressed();
        followed.Begin.Reset();
        Tell(followed, sync.Result(null));
        await sync.AcknowledgeAsync((size, token) => live.AckAsync(sync.At.Document, size, token), CancellationToken.None);
        return true;
    }

    private void End(FollowedDocument followed, DocumentSync sync, Refusal? refusal)
    {
        if (refusal?.Reason == Reason.TooLarge)
        {
            followed.Poll();
            return;
        }

        followed.Drop(hasLeftover: false, refusal?.RetryAfter);
        if (refusal is not null) Tell(followed, sync.Result(refusal.ToTlfsException()));
    }

    // A problem that stays is told once.
    private void Tell(FollowedDocument followed, SyncResult result)
    {
        var isNews = result.Error is null || followed.Told != result.Error.Reason || result.Pulled > 0 || result.Pushed > 0;
        followed.Told = result.Error?.Reason;
        if (isNews) progress?.Report(result);
    }

    private void Report(Target target, TlfsException problem)
    {
        foreach (var result in Results(target, problem)) progress?.Report(result);
    }

    private void ReportInbox(Target target, TlfsException problem)
    {
        foreach (var result in Results(target, null).Take(1)) progress?.Report(result with { Inbox = problem });
    }

    // What is said of a server without documents has a result of its own.
    private IEnumerable<SyncResult> Results(Target target, TlfsException? problem) => target.Documents.Count == 0 && only is null
        ? [SyncResult.OfServer(target.Url, problem)]
        : target.Documents.Select(document => new DocumentSync(home, new(document, target.Server), target.Url).Result(problem));

    // The whole connection is of no use any more, or a server that reads and does not answer.
    private static bool IsLost(TlfsException problem) => problem.Reason is Reason.Unreachable or Reason.Timeout;

    private async Task PauseAsync(TlfsException problem, CancellationToken cancellationToken)
    {
        try
        {
            await _backoff.WaitAsync(problem, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The caller sees that it is cancelled.
        }
    }
}
