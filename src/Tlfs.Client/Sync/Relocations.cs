using CloudPeer.Sync.Sessions;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// Tells the members of documents where these are held from now on (docs/protocol/account.md §5), and takes what others tell. A grant names a server and not
/// its address, so that no server learns of another; the address goes sealed to each member's inbox.
/// </summary>
internal sealed class Relocations(ReplicaHome home, Connector connector)
{
    /// <summary>Tells every member of the documents. What cannot be delivered now is queued, and sent by the next sync.</summary>
    /// <param name="server">Where they go.</param>
    /// <param name="documents">The documents.</param>
    /// <param name="alsoAt">One more server where an inbox may be.</param>
    /// <param name="cancellationToken">Cancels; who was told may be told again.</param>
    /// <returns>The members that have no inbox where one was looked for.</returns>
    public async Task<IReadOnlyList<AccountId>> TellAsync(
        InvitedServer server, IReadOnlyList<DocId> documents, string alsoAt, CancellationToken cancellationToken)
    {
        var untold = new List<AccountId>();
        foreach (var (card, shared) in home.Do(() => Members(documents)))
        {
            var urls = home.Do(() => Inboxes(card.Account, alsoAt));
            foreach (var some in shared.Order().Chunk(Relocation.MaxDocuments))
            {
                var message = SealedMessage.Seal(
                    home.Options.Entropy, home.Keys, card, Relocation.MessageType, home.Options.Time.Micros(), new Relocation(server, some).Encode());
                if (await TrySendAsync(message, some[0], urls, cancellationToken)) continue;
                untold.Add(card.Account);
                break;
            }
        }

        return untold;
    }

    /// <summary>Takes what somebody tells: for each document that is here and that the sender may administer; inside the gate.</summary>
    /// <returns>True if a document is somewhere else now.</returns>
    public static bool Take(ReplicaHome home, AccountCard from, Relocation relocation)
    {
        var isBelieved = false;
        var kept = home.Replica.Documents.ToHashSet();
        foreach (var document in relocation.Documents.Where(kept.Contains))
        {
            var policy = home.Replica.Open(document).Policy;
            if (!policy.May(from.Device, Permission.Control)) continue;
            isBelieved = true;
            foreach (var left in home.Custody.Addresses(document).Where(known => IsLeft(policy, known.Server))) home.Custody.RemoveAddress(document, left.Server);
            SaveAddress(home, document, relocation.Server);
        }

        // Their inbox moves with them.
        if (isBelieved) home.People.SaveCard(from, relocation.Server.Url);
        return isBelieved;
    }

    /// <summary>
    /// Takes where an accepted invitation says that its document is; inside the gate. Of a document that is here already only who may administer it is believed:
    /// what was pinned of a server stays, and so does where own cloudpeers are. Of one that nothing has come of yet, the last invitation holds.
    /// </summary>
    public static void Take(ReplicaHome home, AccountCard from, Invitation invitation)
    {
        var document = home.Replica.Open(invitation.Document);
        if (document.Log.Count == 0)
        {
            home.Custody.SaveAddresses(invitation);
            return;
        }

        if (!document.Policy.May(from.Device, Permission.Control)) return;
        foreach (var server in invitation.Servers.ExceptBy(home.Cloudpeers.All().Select(own => own.Server), named => named.Server))
            SaveAddress(home, invitation.Document, server);
    }

    private static void SaveAddress(ReplicaHome home, DocId document, InvitedServer server)
    {
        var known = home.Custody.Addresses(document);
        if (known.Count < Invitation.MaxServers || known.Any(each => each.Server == server.Server)) home.Custody.SaveAddress(document, server);
    }

    private static bool IsLeft(PolicyView policy, PeerId server)
    {
        var grants = policy.Grants.Where(grant => grant.Actor is PeerActor && grant.Actor.Peer == server).ToArray();
        return grants.Length > 0 && !grants.Any(grant => grant.Holds);
    }

    private IReadOnlyList<(AccountCard Card, List<DocId> Documents)> Members(IReadOnlyList<DocId> documents)
    {
        var members = new Dictionary<AccountId, (AccountCard Card, List<DocId> Documents)>();
        foreach (var document in documents)
        {
            foreach (var person in home.Replica.Open(document).Policy.Grants.Where(grant => grant.Holds).Select(grant => grant.Actor).OfType<AccountActor>())
            {
                if (person.Account == home.Keys.Card.Account || !AccountCard.TryDecode(person.Card, out var card, out _)) continue;
                if (!members.TryGetValue(person.Account, out var member)) members.Add(person.Account, member = (card, []));
                if (!member.Documents.Contains(document)) member.Documents.Add(document);
            }
        }

        return [.. members.Values];
    }

    private string[] Inboxes(AccountId account, string alsoAt) =>
    [
        .. new[] { home.People.FindCard(account)?.Url, alsoAt }.Concat(home.Cloudpeers.All().Select(cloudpeer => cloudpeer.Url)).OfType<string>().Distinct(StringComparer.Ordinal),
    ];

    // False if no server that answered knows the account, and all did.
    private async Task<bool> TrySendAsync(SealedMessage message, DocId document, string[] urls, CancellationToken cancellationToken)
    {
        string? later = null;
        foreach (var url in urls)
        {
            try
            {
                var pinned = home.Do(() => home.Cloudpeers.Find(url)?.Server);
                await using var connection = await connector.ConnectAsync(url, pinned, cancellationToken);
                await connection.SendAsync(message.Bytes, home.Do(() => home.Contacts.Find(message.To)), cancellationToken);
                return true;
            }
            catch (TlfsException e)
            {
                if (e.Reason != Reason.NotFound) later ??= url;
            }
        }

        if (later is null) return false;

        // Where the member is known to be is looked up each time: there may be another place by then.
        home.Do(() => home.People.Enqueue(new(
            message.Id, document, string.Equals(later, home.People.FindCard(message.To)?.Url, StringComparison.Ordinal) ? null : later, message, Relocation.MessageType)));
        return true;
    }
}
