using Microsoft.Data.Sqlite;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>A card and where it was found.</summary>
internal sealed record KnownCard(AccountCard Card, string? Url);

/// <summary>A received invitation whose sender is proven.</summary>
internal sealed record StoredInvitation(MessageId Id, AccountCard From, ulong Micros, Invitation Invitation);

/// <summary>A sealed message that waits to be sent.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Document">What a server must hold first; zero for nothing.</param>
/// <param name="Url">Where to send it; null for wherever its recipient may be.</param>
/// <param name="Message">The message.</param>
/// <param name="Type">The type of its content.</param>
internal sealed record OutgoingMessage(MessageId Id, DocId Document, string? Url, SealedMessage Message, int Type);

/// <summary>Other people: their cards, their invitations, and messages to them.</summary>
internal sealed class PeopleTable(ReplicaDatabase database)
{
    public KnownCard? FindCard(AccountId account) => database.Single("SELECT bytes, url FROM card WHERE account = $1", ReadCard, account.Blob());

    public KnownCard? FindCard(PeerId device) => database.Single("SELECT bytes, url FROM card WHERE device = $1", ReadCard, device.Blob());

    /// <summary>Keeps a verified card; where it was found stays known if nothing newer is said.</summary>
    public void SaveCard(AccountCard card, string? url) => database.Execute(
        """
        INSERT INTO card(account, device, bytes, url) VALUES($1, $2, $3, $4)
        ON CONFLICT(account) DO UPDATE SET device = excluded.device, bytes = excluded.bytes, url = coalesce(excluded.url, card.url)
        """,
        card.Account.Blob(), card.Device.Blob(), card.Bytes.ToArray(), url);

    /// <summary>Keeps a received invitation; the same one again changes nothing.</summary>
    public void SaveInvitation(MessageId id, MessageContent content) => database.Execute(
        "INSERT OR IGNORE INTO invitation(id, sender, micros, body, answered) VALUES($1, $2, $3, $4, 0)",
        id.Blob(), content.From.Bytes.ToArray(), content.Micros.Signed(), content.Body.ToArray());

    /// <summary>The invitations without an answer, oldest first.</summary>
    public IReadOnlyList<StoredInvitation> OpenInvitations() =>
        database.Query("SELECT id, sender, micros, body FROM invitation WHERE answered = 0 ORDER BY number", ReadInvitation);

    public void Answer(MessageId id) => database.Execute("UPDATE invitation SET answered = 1 WHERE id = $1", id.Blob());

    /// <summary>Who invited to a document, or null.</summary>
    public AccountId? Inviter(DocId document) => database.Query("SELECT id, sender, micros, body FROM invitation ORDER BY number", ReadInvitation)
        .Where(invitation => invitation.Invitation.Document == document).Select(invitation => (AccountId?)invitation.From.Account).LastOrDefault();

    public void Enqueue(OutgoingMessage message) => database.Execute(
        "INSERT INTO outgoing(id, document, url, message, type) VALUES($1, $2, $3, $4, $5)",
        message.Id.Blob(), message.Document.Blob(), message.Url, message.Message.Bytes.ToArray(), message.Type);

    // Without a type it is from before there was any but invitations.
    public IReadOnlyList<OutgoingMessage> Outgoing() => database.Query("SELECT id, document, url, message, type FROM outgoing ORDER BY number", reader =>
        SealedMessage.TryDecode(reader.Blob(3), out var message, out _)
            ? new OutgoingMessage(reader.Id<MessageId>(0), reader.Id<DocId>(1), reader.TextOrNull(2), message, (int)(reader.NumberOrNull(4) ?? Invitation.MessageType))
            : throw Damaged());

    /// <summary>Forgets messages of a type that were not sent yet: newer ones take their place.</summary>
    public void DequeueAll(int type) => database.Execute("DELETE FROM outgoing WHERE type = $1", type);

    public void Dequeue(MessageId id) => database.Execute("DELETE FROM outgoing WHERE id = $1", id.Blob());

    private static KnownCard ReadCard(SqliteDataReader reader) =>
        AccountCard.TryDecode(reader.Blob(0), out var card, out _) ? new(card, reader.TextOrNull(1)) : throw Damaged();

    private static StoredInvitation ReadInvitation(SqliteDataReader reader) =>
        AccountCard.TryDecode(reader.Blob(1), out var from, out _) && Invitation.TryDecode(reader.Blob(3), out var invitation, out _)
            ? new(reader.Id<MessageId>(0), from, reader.NumberOrNull(2) ?? 0, invitation!)
            : throw Damaged();

    private static TlfsException Damaged() => new(Reason.InputOutput, "the replica's file is damaged; restore it from an export");
}
