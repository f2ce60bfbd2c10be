using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Client.Sync;

/// <summary>A server and the documents to synchronise with it.</summary>
/// <param name="Url">Where it is.</param>
/// <param name="Server">Its pinned id.</param>
/// <param name="IsOwn">True if this account rents it: its inbox is there.</param>
/// <param name="Documents">The documents.</param>
internal sealed record Target(string Url, PeerId Server, bool IsOwn, IReadOnlyList<DocId> Documents);

/// <summary>Which documents go to which servers (docs/protocol/sync.md §1.4); inside the gate.</summary>
internal static class Targets
{
    // The longest that a deletion takes; what is still noted then was left by a process that died.
    private static readonly TimeSpan Deletion = TimeSpan.FromMinutes(2);

    /// <summary>All servers with all their documents, but for those that are just being deleted; own cloudpeers also without any.</summary>
    public static IReadOnlyList<Target> All(ReplicaHome home, IReadOnlyCollection<DocId>? only)
    {
        var deleting = home.Custody.Deleting((home.Options.Time.GetUtcNow() - Deletion).ToMicros());
        var own = home.Cloudpeers.All();
        var documents = own.Select(cloudpeer => (cloudpeer.Url, cloudpeer.Server)).ToDictionary(key => key, _ => new List<DocId>());
        foreach (var document in home.Replica.Documents.Where(document => (only?.Contains(document) ?? true) && !deleting.Contains(document)))
        {
            foreach (var server in Of(home, document))
            {
                if (!documents.TryGetValue(server, out var list)) documents[server] = list = [];
                list.Add(document);
            }
        }

        return [.. documents.Select(pair => new Target(pair.Key.Url, pair.Key.Server, own.Any(cloudpeer => cloudpeer.Server == pair.Key.Server), pair.Value))];
    }

    /// <summary>
    /// The servers of a document: those with a Sync grant that holds and whose address is known, and those that the invitation named, until the document
    /// says otherwise.
    /// </summary>
    public static IReadOnlyList<(string Url, PeerId Server)> Of(ReplicaHome home, DocId document)
    {
        var grants = home.Replica.Open(document).Policy.Grants.Where(grant => grant.Actor is PeerActor).ToLookup(grant => grant.Actor.Peer!.Value);
        var servers = new Dictionary<PeerId, string>();
        foreach (var invited in home.Custody.Addresses(document))
            if (!grants.Contains(invited.Server) || grants[invited.Server].Any(grant => grant.Holds)) servers[invited.Server] = invited.Url;
        foreach (var cloudpeer in home.Cloudpeers.All())
            if (grants[cloudpeer.Server].Any(grant => grant.Holds)) servers[cloudpeer.Server] = cloudpeer.Url;
        return [.. servers.Select(pair => (pair.Value, pair.Key))];
    }

    /// <summary>True if a document that was with a server has none any more: somebody may have told where it is now.</summary>
    public static bool AnyIsLost(ReplicaHome home, IReadOnlyCollection<DocId>? only) => home.Replica.Documents
        .Any(document => (only?.Contains(document) ?? true) && home.Custody.Servers(document).Count > 0 && Of(home, document).Count == 0);

    /// <summary>The address by which a server is known for a document; its id if none is.</summary>
    public static string UrlOf(ReplicaHome home, DocId document, PeerId server) =>
        home.Cloudpeers.All().FirstOrDefault(cloudpeer => cloudpeer.Server == server)?.Url
        ?? home.Custody.Addresses(document).FirstOrDefault(invited => invited.Server == server)?.Url
        ?? server.ToString();

    /// <summary>
    /// True if a server that has a document is not known to have been told that its grants have ended: it goes on taking what others write, and charges for it.
    /// What it refused because it holds no grant shows that it knows; inside the gate.
    /// </summary>
    public static bool IsUntold(ReplicaHome home, DocId document, PeerId server)
    {
        var at = new Place(document, server);
        return home.Replica.Open(document).Policy.Grants.Any(grant => grant.Actor.Peer == server && grant.EndedBy is { } ending && !home.Custody.IsHeldBy(at, ending))
            && home.Custody.HoldsAny(at) && !home.Custody.Refused(at).Any(each => each.Reason == Reason.NotHosted);
    }

    /// <summary>The places of a document.</summary>
    public static IEnumerable<Place> PlacesOf(ReplicaHome home, DocId document) => Of(home, document).Select(server => new Place(document, server.Server));
}
