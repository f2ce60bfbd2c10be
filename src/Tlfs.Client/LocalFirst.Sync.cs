using System.Collections.Concurrent;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Client.Sync;
using Tlfs.Core.Ids;

namespace Tlfs.Client;

public sealed partial class LocalFirst
{
    /// <summary>
    /// Pulls, pushes, sends queued invitations and fetches new ones. Failures are in the results, one for each document and server: a server that
    /// cannot be reached does not hold up the others. An own server without any document has a result if it fails (<see cref="SyncResult.IsOfServer"/>), unless
    /// only some documents are asked for. While there is no document at all, such a failure is thrown.
    /// With <see cref="SyncOptions.Watch"/> it goes on until cancelled, and reports as it goes.
    /// </summary>
    /// <param name="options">How; null for once, with 30 s.</param>
    /// <param name="progress">Is told each result as it comes.</param>
    /// <param name="cancellationToken">Cancels; a watch ends with it without an exception.</param>
    public async Task<IReadOnlyList<SyncResult>> SyncAsync(
        SyncOptions? options = null, IProgress<SyncResult>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        if (options.Watch)
        {
            await new WatchEngine(_home, _connector, _mailbox).RunAsync(options, progress, cancellationToken);
            return [];
        }

        var unreached = new ConcurrentQueue<SyncResult>();
        var results = await _engine.RunAsync(options, progress, cancellationToken, unreached);
        await WithinAsync(BestEffort, _mailbox.SendAsync, cancellationToken);
        if (results.Count == 0 && unreached.TryPeek(out var first)) throw first.Problem!;
        return options.Only is null ? [.. results, .. unreached] : results;
    }

    /// <summary>How each document stands with each of its servers, from what is known here; asks nobody.</summary>
    public Task<IReadOnlyList<DocumentServerStatus>> StatusAsync(CancellationToken cancellationToken = default) => _home.DoAsync<IReadOnlyList<DocumentServerStatus>>(
        () => [.. _home.Replica.Documents.SelectMany(document => Targets.Of(_home, document).Select(server => Status(document, server.Url, server.Server)))],
        cancellationToken);

    /// <summary>
    /// Asks each server of a document for its head now, and for the proof that what was pulled from it is the beginning of its log (docs/protocol/log.md §3.4):
    /// nothing is pulled, and nobody is believed. A server that cannot be reached is an exception.
    /// </summary>
    /// <returns>A line for each server whose answer is not proven; empty if all is well.</returns>
    public async Task<IReadOnlyList<string>> VerifyHeadsAsync(DocId document, CancellationToken cancellationToken = default)
    {
        var problems = new List<string>();
        foreach (var (url, server) in await _home.DoAsync(() => Targets.Of(_home, document), cancellationToken))
        {
            var pulled = _home.Do(() => _home.Custody.Cursor(new(document, server)).Pulled);
            await using var connection = await _connector.ConnectAsync(url, server, cancellationToken);
            var proven = await connection.GetHeadAsync(document, pulled.Size, cancellationToken);
            if (!proven.Verify(document, server, pulled.Size, pulled.Root))
                problems.Add($"{url}: the server's log, {proven.Head.Size} envelopes, is not proven to begin with the {pulled.Size} that were fetched from it; sync shows whether it says why");
        }

        return problems;
    }

    // Documents that a status lists as what fills a quota.
    private const int LargestShown = 10;

    private DocumentServerStatus Status(DocId document, string url, PeerId server)
    {
        var at = new Place(document, server);
        var entitlement = _home.Cloudpeers.Find(url)?.Entitlement;
        var stored = _home.Cloudpeers.Stored(url);
        return new(
            document,
            url,
            _home.Custody.Confirmed(at) is { } micros ? UnixMicros.ToInstant(micros) : null,
            _home.Custody.UnsentCount(at),
            _home.Custody.Refused(at),
            entitlement?.UsedBytes,
            entitlement?.QuotaBytes,
            _home.Custody.Fault(at))
        {
            Restored = _home.Logs.Restored(at),
            State = entitlement?.State is { Length: > 0 } state ? state : null,
            Stored = stored.FirstOrDefault(each => each.Document == document)?.StoredBytes,
            Largest = [.. stored.Take(LargestShown)],
        };
    }

    private async Task TrySyncAsync(DocId document, CancellationToken cancellationToken) =>
        await _engine.RunAsync(new() { Timeout = BestEffort, Only = [document] }, null, cancellationToken);
}
