using CloudPeer.Sync.Client;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Client;

public sealed partial class LocalFirst
{
    // For what an operation does besides its main work: it must not make a person wait.
    private static readonly TimeSpan BestEffort = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Uses a cloudpeer: pins its id, registers this account there, and grants it Sync on documents that this account controls. A dead address is
    /// refused within 5 s. Adding it again changes <paramref name="app"/> and <paramref name="only"/>, and its address: a server has one.
    /// </summary>
    /// <param name="url">Its address.</param>
    /// <param name="app">The app that brings the user, if any.</param>
    /// <param name="only">Only these documents; null for every document, present and future.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<CloudpeerState> AddCloudpeerAsync(
        string url, string? app = null, IReadOnlyList<DocId>? only = null, CancellationToken cancellationToken = default)
    {
        var address = ServerUrl.Parse(url, _home.Options.AllowInsecure);
        var pinned = await _home.DoAsync(
            () =>
            {
                foreach (var document in only ?? []) _home.Replica.Open(document);
                return _home.Cloudpeers.Find(address)?.Server;
            },
            cancellationToken);
        await using var connection = await _connector.ConnectAsync(address, pinned, cancellationToken);
        var entitlement = await connection.CreateAccountAsync(Card, app, cancellationToken);
        var state = new CloudpeerState(address, connection.Server, only is null, app, entitlement);
        var replaced = await _home.DoAsync(
            () =>
            {
                var before = _home.Cloudpeers.Find(state.Server)?.Url;
                _home.Cloudpeers.Save(state);
                foreach (var document in only ?? _home.Replica.Documents) GrantSync(document, connection.Server, required: only is not null);
                return string.Equals(before, address, StringComparison.Ordinal) ? null : before;
            },
            cancellationToken);
        await _mailbox.SetTokenAsync(connection, address, cancellationToken);
        _home.NotifyEdited();
        return state with { Replaced = replaced };
    }

    /// <summary>The cloudpeers this account uses, with what is known of them here.</summary>
    public Task<IReadOnlyList<CloudpeerState>> CloudpeersAsync(CancellationToken cancellationToken = default) =>
        _home.DoAsync(_home.Cloudpeers.All, cancellationToken);

    /// <summary>Stops using a cloudpeer: ends its grants and tells it, if it can be reached. <c>cloudpeer-not-found</c>.</summary>
    /// <returns>
    /// Documents of which it could not be told: it goes on keeping them, and charges for them. Once it can be reached, add it again with these documents, and
    /// remove it once more.
    /// </returns>
    public async Task<IReadOnlyList<DocId>> RemoveCloudpeerAsync(string url, CancellationToken cancellationToken = default)
    {
        var address = ServerUrl.Parse(url, allowInsecure: true);
        var target = await _home.DoAsync(
            () =>
            {
                var cloudpeer = _home.Cloudpeers.Find(address)
                    ?? throw new TlfsException(Reason.CloudpeerNotFound, "that cloudpeer was not added; list them with: cloudpeer list");
                var documents = _home.Replica.Documents
                    .Where(document => RevokeSync(document, cloudpeer.Server) || Targets.IsUntold(_home, document, cloudpeer.Server)).ToArray();
                return new Target(cloudpeer.Url, cloudpeer.Server, false, documents);
            },
            cancellationToken);
        await WithinAsync(BestEffort, token => _engine.FarewellAsync(target, token), cancellationToken);
        var untold = await _home.DoAsync<IReadOnlyList<DocId>>(
            () =>
            {
                _home.Cloudpeers.Remove(address);
                return [.. target.Documents.Where(document => Targets.IsUntold(_home, document, target.Server))];
            },
            cancellationToken);
        _home.NotifyEdited();
        return untold;
    }

    private void GrantSync(DocId document, PeerId server, bool required)
    {
        if (required || _home.Replica.Open(document).Policy.May(Peer, Permission.Control))
            _home.Author(document, author => author.Grant(new PeerActor(server), Permission.Sync));
    }

    // True if the server held the document because of a grant that this account could end.
    private bool RevokeSync(DocId document, PeerId server)
    {
        var policy = _home.Replica.Open(document).Policy;
        var grants = policy.Grants.Where(grant => grant.Holds && grant.Actor.Peer == server).ToArray();
        if (grants.Length == 0 || !policy.May(Peer, Permission.Control)) return false;
        _home.Author(document, author =>
        {
            foreach (var grant in grants) author.Revoke(grant.Id);
            return true;
        });
        return true;
    }

    private static async Task WithinAsync(TimeSpan limit, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        try
        {
            await work(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is up; the next sync goes on.
        }
    }
}
