using CloudPeer.Sync.Client;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client;

// Ways to part with a document: here, everywhere, or only from one's own access to it.
public sealed partial class LocalFirst
{
    /// <summary>Removes a document from this device, with its keys and all that was known of its servers. What was not sent is gone.</summary>
    /// <returns>The bytes of the envelopes that were kept here.</returns>
    public async Task<long> RemoveAsync(DocId document, CancellationToken cancellationToken = default)
    {
        var freed = await _home.DoAsync(
            () =>
            {
                var bytes = _home.Replica.Bytes(document);
                _home.Replica.Remove(document);
                _home.Database.Settle();
                return bytes;
            },
            cancellationToken);
        _home.NotifyEdited();
        return freed;
    }

    /// <summary>
    /// Deletes a document on the cloudpeers that this account hosts it on, which makes room there, and then on this device. Other members keep their copies. All
    /// servers are reached before the first one deletes anything; if one cannot be, nothing happens (<c>unreachable</c>). If one fails in between, the copy here
    /// stays, and the next <see cref="SyncAsync"/> brings it back: delete it again. A document that is not here any more can be deleted too.
    /// </summary>
    public async Task<DeletedEverywhere> DeleteEverywhereAsync(DocId document, CancellationToken cancellationToken = default)
    {
        var isHere = await _home.DoAsync(() => _home.Replica.Documents.Contains(document), cancellationToken);
        var servers = await _home.DoAsync(() => ServersOf(document, isHere), cancellationToken);
        IReadOnlyDictionary<string, ulong> freed;
        long local = 0;
        try
        {
            _home.Do(() => _home.Custody.SaveDeleting(document, _home.Options.Time.Micros()));
            freed = await DeleteAsync(document, servers, cancellationToken);
            if (isHere) local = await RemoveAsync(document, CancellationToken.None);
        }
        finally
        {
            _home.Do(() => _home.Custody.SaveDeleting(document, null));
        }

        if (!isHere && freed.Count == 0)
            throw new TlfsException(Reason.DocumentNotFound, "no document with that id here, nor on a cloudpeer that hosts it for you; list them with: doc list");
        await WithinAsync(BestEffort, token => AskForRoomAsync(servers, token), cancellationToken);
        _home.NotifyEdited();
        return new(document, local, freed);
    }

    /// <summary>
    /// Gives up this account's own grants, tells the document's servers, and removes the document from this device. While a server could not be told, the
    /// document stays here (<c>unreachable</c>, or why it was refused): the others would never hear of it. Leaving again goes on.
    /// </summary>
    public async Task LeaveAsync(DocId document, CancellationToken cancellationToken = default)
    {
        await _home.AuthorAsync(
            document,
            author =>
            {
                foreach (var grant in _home.Replica.Open(document).Policy.Grants)
                    if (grant.Holds && grant.Actor.Peer == Peer) author.Renounce(grant.Id);
                return true;
            },
            cancellationToken);
        await TrySyncAsync(document, cancellationToken);
        await _home.DoAsync(() => RequireTold(document), cancellationToken);
        await RemoveAsync(document, cancellationToken);
    }

    // Those that may have it: one that is known not to has nothing to delete, and need not be reachable.
    private List<CloudpeerState> ServersOf(DocId document, bool isHere)
    {
        var granted = isHere ? Targets.Of(_home, document).Select(server => server.Server).ToHashSet() : [];
        return [.. _home.Cloudpeers.All().Where(own => !isHere || granted.Contains(own.Server) || _home.Custody.HoldsAny(new(document, own.Server)))];
    }

    // All of them are reached before any deletes.
    private async Task<IReadOnlyDictionary<string, ulong>> DeleteAsync(DocId document, List<CloudpeerState> servers, CancellationToken cancellationToken)
    {
        var freed = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var connections = new List<CloudpeerConnection>();
        try
        {
            foreach (var server in servers) connections.Add(await _connector.ConnectAsync(server.Url, server.Server, cancellationToken));
            for (var i = 0; i < servers.Count; i++)
                if (await DeleteAsync(connections[i], document, cancellationToken) is { } bytes) freed.Add(servers[i].Url, bytes);
            return freed;
        }
        finally
        {
            foreach (var connection in connections) await connection.DisposeAsync();
        }
    }

    // Null if it is not there, or somebody else hosts it: then it is not for this account to delete.
    private static async Task<ulong?> DeleteAsync(CloudpeerConnection connection, DocId document, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.DeleteDocumentAsync(document, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            return null;
        }
    }

    private async Task AskForRoomAsync(List<CloudpeerState> servers, CancellationToken cancellationToken)
    {
        foreach (var server in servers)
        {
            try
            {
                await using var connection = await _connector.ConnectAsync(server.Url, server.Server, cancellationToken);
                await _mailbox.RoomAsync(connection, server.Url, cancellationToken);
            }
            catch (TlfsException)
            {
                // The next sync asks again.
            }
        }
    }

    private bool RequireTold(DocId document)
    {
        var untold = Targets.PlacesOf(_home, document).Where(place => _home.Custody.HoldsAny(place) && _home.Custody.UnsentCount(place) > 0).ToArray();
        if (untold.Length == 0) return true;
        var refused = untold.SelectMany(_home.Custody.Refused).FirstOrDefault();
        throw refused is null
            ? new TlfsException(Reason.Unreachable, "a cloudpeer of the document could not be told that you leave, so the document is kept here; leave again when it can be reached")
            : new TlfsException(refused.Reason, $"a cloudpeer of the document did not take that you leave, so the document is kept here: {refused.Message}");
    }
}
