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
        home.People.Enqueue(new(message.Id, invitation.Document, url, message));
        return message.Id;
    }

    /// <summary>With a server that was just synchronised: at an own one fetches the inbox, and learns how much room is left.</summary>
    public async Task ExchangeAsync(CloudpeerConnection connection, Target target, CancellationToken cancellationToken)
    {
        if (!target.IsOwn) return;
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
        var hasMoved = home.Do(() => home.Database.Write(() => waiting.Count(Take) > 0));
        await connection.AcknowledgeAsync([.. waiting.Select(entry => entry.Id)], cancellationToken);
        if (hasMoved) home.NotifyEdited();
    }

    /// <summary>
    /// Sends what is queued, each message once a server of its document holds the whole document: an invitation never arrives before what it
    /// invites to. What cannot be sent now stays queued.
    /// </summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        foreach (var message in home.Do(() => home.People.Outgoing().Where(message => IsReady(message.Document)).ToArray()))
        {
            foreach (var (url, pinned) in home.Do(() => WhereTo(message)))
            {
                if (!await TrySendAsync(message, url, pinned, cancellationToken)) continue;
                home.Do(() => home.People.Dequeue(message.Id));
                break;
            }
        }
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

    private async Task<bool> TrySendAsync(OutgoingMessage message, string url, PeerId? pinned, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connector.ConnectAsync(url, pinned, cancellationToken);
            await connection.SendAsync(message.Message.Bytes, cancellationToken);
            return true;
        }
        catch (TlfsException)
        {
            // It stays queued, and the next address or the next sync tries again.
            return false;
        }
    }

    // What does not open, or proves no sender, is of no use to anybody: it is not kept, and acknowledged like the rest. True if a document is somewhere else now.
    private bool Take(InboxEntry entry)
    {
        if (!SealedMessage.TryDecode(entry.Bytes, out var message, out _) || message.Id != entry.Id || !message.TryOpen(home.Keys, out var content)) return false;
        if (content.Type == Relocation.MessageType && Relocation.TryDecode(content.Body, out var relocation, out _)) return Relocations.Take(home, content.From, relocation);
        if (content.Type != Invitation.MessageType || !Invitation.TryDecode(content.Body, out _, out _)) return false;
        home.People.SaveInvitation(entry.Id, content);
        home.People.SaveCard(content.From, null);
        return false;
    }
}
