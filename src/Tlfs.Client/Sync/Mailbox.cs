using CloudPeer.Sync.Client;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>Messages to and from people with whom no document is shared yet (docs/protocol/account.md §3, sync.md §4).</summary>
internal sealed class Mailbox(ReplicaHome home, Connector connector)
{
    // Documents of which it is kept how much they fill.
    private const int StoredDocuments = 1000;

    /// <summary>Seals an invitation and queues it; inside the gate.</summary>
    public MessageId Enqueue(AccountCard to, Invitation invitation, string? url)
    {
        var message = SealedMessage.Seal(
            home.Options.Entropy, home.Keys, to, Invitation.MessageType, home.Options.Time.Micros(), invitation.Encode());
        home.People.Enqueue(new(message.Id, invitation.Document, url, message, Invitation.MessageType));
        return message.Id;
    }

    /// <summary>Seals this account's delivery token to a contact and queues it; inside the gate.</summary>
    public void EnqueueToken(AccountCard to)
    {
        var message = SealedMessage.Seal(
            home.Options.Entropy, home.Keys, to, DeliveryToken.MessageType, home.Options.Time.Micros(), home.Contacts.Own().Encode());
        home.People.Enqueue(new(message.Id, default, null, message, DeliveryToken.MessageType));
    }

    /// <summary>The same to all contacts, in place of what waits; inside the gate.</summary>
    public void EnqueueTokens(IReadOnlyList<AccountCard> contacts)
    {
        home.People.DequeueAll(DeliveryToken.MessageType);
        foreach (var contact in contacts) EnqueueToken(contact);
    }

    /// <summary>Tells an own cloudpeer what contacts present, if it does not know yet. What fails is done by the next sync.</summary>
    public async Task SetTokenAsync(CloudpeerConnection connection, string url, CancellationToken cancellationToken)
    {
        var token = home.Do(home.Contacts.Own);
        if (home.Do(() => home.Contacts.IsSet(url, token))) return;
        try
        {
            await connection.SetDeliveryTokenAsync(token, cancellationToken);
            home.Do(() => home.Contacts.SaveSet(url, token));
        }
        catch (TlfsException)
        {
            // An older server takes none: everybody is a stranger there, and that is no reason to stop.
        }
    }

    /// <summary>With a server that was just synchronised: at an own one fetches the inbox, says who is a contact, and learns how much room is left.</summary>
    public async Task ExchangeAsync(CloudpeerConnection connection, Target target, CancellationToken cancellationToken)
    {
        if (!target.IsOwn) return;
        await SetTokenAsync(connection, target.Url, cancellationToken);
        await FetchAsync(connection, cancellationToken);
        await RoomAsync(connection, target.Url, cancellationToken);
    }

    /// <summary>Learns how much room is left at an own cloudpeer, and what fills it if there is a quota.</summary>
    public async Task RoomAsync(CloudpeerConnection connection, string url, CancellationToken cancellationToken)
    {
        var entitlement = await connection.GetEntitlementAsync(cancellationToken);
        var stored = entitlement.QuotaBytes == 0 ? [] : await StoredAsync(connection, cancellationToken);
        home.Do(() => home.Database.Write(() =>
        {
            home.Cloudpeers.SaveEntitlement(url, entitlement);
            home.Cloudpeers.SaveStored(url, stored);
            return true;
        }));
    }

    // A server of before does not know the question.
    private static async Task<IReadOnlyList<StoredDocument>> StoredAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.GetUsageAsync(StoredDocuments, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason is Reason.Unsupported or Reason.NotACloudpeer)
        {
            return [];
        }
    }

    /// <summary>Fetches the inbox of an own cloudpeer. Messages are deleted there only after they are stored here.</summary>
    public async Task FetchAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        var waiting = await connection.ReceiveAsync(cancellationToken);
        if (waiting.Count == 0) return;
        var moved = home.Do(() => home.Database.Write(() => waiting.Select(Take).ToArray()));
        await connection.AcknowledgeAsync([.. waiting.Select(entry => entry.Id)], cancellationToken);
        if (moved.Contains(true)) home.NotifyEdited();
    }

    /// <summary>
    /// Sends what is queued, each message once a server of its document holds the whole document: an invitation never arrives before what it
    /// invites to. What cannot be sent now stays queued.
    /// </summary>
    /// <returns>Why something could not be sent; null if nothing is left that could go now.</returns>
    public async Task<TlfsException?> SendAsync(CancellationToken cancellationToken)
    {
        TlfsException? left = null;
        foreach (var message in home.Do(() => home.People.Outgoing().Where(message => IsReady(message.Document)).ToArray()))
        {
            TlfsException? problem = null;
            var sent = false;
            var mayPass = false;
            foreach (var (url, pinned) in home.Do(() => WhereTo(message)))
            {
                problem = await TrySendAsync(message, url, pinned, cancellationToken);
                sent = problem is null;
                if (sent) break;
                mayPass |= problem!.IsTransient;
            }

            // A token that nobody takes is given up: whoever misses it is a stranger and no more.
            if (sent || (message.Type == DeliveryToken.MessageType && !mayPass)) home.Do(() => home.People.Dequeue(message.Id));
            else left = problem ?? left;
        }

        return left;
    }

    private bool IsReady(DocId document) =>
        !home.Replica.Documents.Contains(document) || Targets.PlacesOf(home, document).Any(place => home.Custody.UnsentCount(place) == 0);

    private List<(string Url, PeerId? Server)> WhereTo(OutgoingMessage message)
    {
        var own = home.Cloudpeers.All();
        string?[] urls = message.Url is { } named ? [named] : [home.People.FindCard(message.Message.To)?.Url, .. own.Select(cloudpeer => cloudpeer.Url)];
        return
        [
            .. urls.OfType<string>().Distinct(StringComparer.Ordinal)
                .Select(url => (url, own.FirstOrDefault(cloudpeer => string.Equals(cloudpeer.Url, url, StringComparison.Ordinal))?.Server)),
        ];
    }

    // Null if it was sent. Else it stays queued, and the next address or the next sync tries again.
    private async Task<TlfsException?> TrySendAsync(OutgoingMessage message, string url, PeerId? pinned, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connector.ConnectAsync(url, pinned, cancellationToken);
            await connection.SendAsync(message.Message.Bytes, home.Do(() => home.Contacts.Find(message.Message.To)), cancellationToken);
            return null;
        }
        catch (TlfsException problem)
        {
            return problem;
        }
    }

    // What does not open, or proves no sender, is of no use to anybody: it is not kept, and acknowledged like the rest. True if a document is somewhere else now.
    private bool Take(InboxEntry entry)
    {
        if (!SealedMessage.TryDecode(entry.Bytes, out var message, out _) || message.Id != entry.Id || !message.TryOpen(home.Keys, out var content)) return false;
        if (home.Contacts.IsBlocked(content.From.Account)) return false;
        if (content.Type == Relocation.MessageType && Relocation.TryDecode(content.Body, out var relocation, out _)) return Relocations.Take(home, content.From, relocation);
        if (content.Type == DeliveryToken.MessageType && DeliveryToken.TryDecode(content.Body, out var token, out _))
            home.Contacts.Save(content.From.Account, token, content.Micros);
        if (content.Type != Invitation.MessageType || !Invitation.TryDecode(content.Body, out var invitation, out _)) return false;
        home.People.SaveInvitation(entry.Id, content);
        home.People.SaveCard(content.From, null);
        if (invitation!.Token is { } given) home.Contacts.Save(content.From.Account, given, content.Micros);
        return false;
    }
}
