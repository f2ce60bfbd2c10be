using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

/// <summary>What an edit became.</summary>
/// <param name="Envelope">The delta.</param>
/// <param name="Operations">The number of its operations.</param>
public sealed record EditResult(EnvelopeId Envelope, int Operations);

/// <summary>A cloudpeer that this account uses.</summary>
/// <param name="Url">Its address, as it was added.</param>
/// <param name="Server">Its pinned id.</param>
/// <param name="EveryDocument">True if it is given every document this account controls, present and future.</param>
/// <param name="App">The app that brought the user, if one did.</param>
/// <param name="Entitlement">What the account may store there, as of the last contact; null before the first.</param>
public sealed record CloudpeerState(string Url, PeerId Server, bool EveryDocument, string? App, Entitlement? Entitlement)
{
    /// <summary>The address that this one has just replaced, since it is the same server; else null.</summary>
    public string? Replaced { get; init; }
}

/// <summary>How to synchronise.</summary>
public sealed record SyncOptions
{
    /// <summary>How long to try; transient failures are retried within it. Not used when watching.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Stays connected until cancelled: receives at once, and sends what this or another process edits.</summary>
    public bool Watch { get; init; }

    /// <summary>Only these documents; null for all.</summary>
    public IReadOnlyCollection<DocId>? Only { get; init; }
}

/// <summary>An envelope that a server did not take. It stays in the outbox.</summary>
/// <param name="Envelope">The envelope.</param>
/// <param name="Reason">Why (docs/protocol/errors.md).</param>
/// <param name="Message">One line for a person.</param>
public sealed record RefusedEnvelope(EnvelopeId Envelope, Reason Reason, string Message)
{
    /// <summary>Which limit was reached, with <see cref="Reason.QuotaExceeded"/>; it is sent again as soon as there is room.</summary>
    public QuotaUse? Quota { get; init; }

    /// <summary>True if the same envelope may be taken later without anybody changing it.</summary>
    internal bool WaitsForRoom => Reason is Reason.QuotaExceeded or Reason.SubscriptionReadOnly;
}

/// <summary>What synchronising one document with one server came to.</summary>
/// <param name="Document">The document; none if <see cref="IsOfServer"/>.</param>
/// <param name="Url">The server's address.</param>
/// <param name="Pushed">Envelopes that the server acknowledged with a receipt.</param>
/// <param name="Pulled">Envelopes that were new here.</param>
/// <param name="Head">The last verified head of the server's log; null if there is none yet.</param>
/// <param name="Unsent">Envelopes held here that the server is not known to hold.</param>
/// <param name="Refused">Those among them that it refused.</param>
/// <param name="Error">Why it did not go through to the end; null if it did.</param>
public sealed record SyncResult(
    DocId Document, string Url, int Pushed, int Pulled, LogHead? Head, int Unsent, IReadOnlyList<RefusedEnvelope> Refused, TlfsException? Error)
{
    /// <summary>Envelopes that the server's log rests on and does not have: it left them out.</summary>
    public IReadOnlyList<EnvelopeId> Missing { get; init; } = [];

    /// <summary>What the server lost and said so now, because it was restored from a backup; it is sent again. Null if it lost nothing.</summary>
    public RestoredLog? Restored { get; init; }

    /// <summary>
    /// Envelopes of which the server gave no part that this account may read, as far as is known here. It may not know of the right yet: every sync asks again.
    /// </summary>
    public IReadOnlyList<EnvelopeId> Withheld { get; init; } = [];

    /// <summary>Why this account's inbox at the server was not read, in the result of one of its documents; null if it was, or there is none. It is tried again by the next sync.</summary>
    public TlfsException? Inbox { get; init; }

    /// <summary>
    /// True if it is about an own server that has no document to synchronise, and that failed: <see cref="Error"/> or <see cref="Inbox"/> says why, and
    /// <see cref="Document"/> is none.
    /// </summary>
    public bool IsOfServer => Document == default;

    /// <summary>True if both sides hold the same.</summary>
    public bool Complete => Error is null && Unsent == 0 && Withheld.Count == 0;

    /// <summary>What went wrong, first of all with the document.</summary>
    internal TlfsException? Problem => Error ?? Inbox;

    internal static SyncResult OfServer(string url, TlfsException? error) => new(default, url, 0, 0, null, 0, [], error);
}

/// <summary>A server was restored from a backup (docs/protocol/log.md §6).</summary>
/// <param name="Generation">The number of the log's generation since then.</param>
/// <param name="Size">Envelopes that it had in the backup.</param>
/// <param name="Lost">Envelopes held here that it had acknowledged or shown, and lost.</param>
/// <param name="Began">The server's clock when it said so.</param>
public sealed record RestoredLog(uint Generation, ulong Size, int Lost, DateTimeOffset Began)
{
    internal static RestoredLog Of(Generation generation, int lost) =>
        new(generation.Number, generation.Size, lost, UnixMicros.ToInstant(generation.Micros));
}

/// <summary>How one document stands with one server, from what is known here.</summary>
/// <param name="Document">The document.</param>
/// <param name="Url">The server's address.</param>
/// <param name="LastConfirmed">When the server last proved what it holds; null if never.</param>
/// <param name="Unsent">Envelopes held here that the server is not known to hold.</param>
/// <param name="Refused">Those among them that it refused the last time.</param>
/// <param name="Used">Bytes this account stored there at the last contact; null if it has no account there.</param>
/// <param name="Quota">Bytes it may store, 0 for unlimited; null if it has no account there.</param>
/// <param name="Fault">Why this server is not trusted with this document any more; null if it is.</param>
public sealed record DocumentServerStatus(
    DocId Document,
    string Url,
    DateTimeOffset? LastConfirmed,
    int Unsent,
    IReadOnlyList<RefusedEnvelope> Refused,
    ulong? Used,
    ulong? Quota,
    TlfsException? Fault)
{
    /// <summary>The last time that the server lost anything known here by a restore; null if it never did.</summary>
    public RestoredLog? Restored { get; init; }

    /// <summary>What the account may do there as of the last contact: active, read-only, export-only or suspended; null if that is not known.</summary>
    public string? State { get; init; }

    /// <summary>Bytes of this document that are charged to this account there; null if it hosts it not, or that is not known.</summary>
    public ulong? Stored { get; init; }

    /// <summary>What fills the account's storage there as of the last contact, the largest documents first; empty where there is no quota.</summary>
    public IReadOnlyList<StoredDocument> Largest { get; init; } = [];
}

/// <summary>A document was deleted.</summary>
/// <param name="Document">The document.</param>
/// <param name="LocalBytes">Bytes of the envelopes that were kept on this device.</param>
/// <param name="Servers">The cloudpeers that deleted it, and the bytes that this account has got back at each.</param>
public sealed record DeletedEverywhere(DocId Document, long LocalBytes, IReadOnlyDictionary<string, ulong> Servers);

/// <summary>Up to where a device has fetched a document from a server, as that server says (docs/protocol/sync.md §8).</summary>
/// <param name="Document">The document.</param>
/// <param name="Url">The server's address.</param>
/// <param name="Device">The device.</param>
/// <param name="Size">It holds all entries below.</param>
/// <param name="Of">Envelopes of the server's log that are known here; 0 before the first sync.</param>
/// <param name="At">When it said so, by the server's clock.</param>
public sealed record DeviceDelivery(DocId Document, string Url, PeerId Device, ulong Size, ulong Of, DateTimeOffset At)
{
    /// <summary>True if the device holds all of the log that is known here.</summary>
    public bool IsComplete => Size >= Of;
}

/// <summary>An invitation that waits for an answer. Its sender is proven.</summary>
/// <param name="Id">The invitation.</param>
/// <param name="From">Who invites.</param>
/// <param name="Document">To which document.</param>
/// <param name="Schema">The name of its schema.</param>
/// <param name="Note">A line from the inviter: text from outside.</param>
/// <param name="Urls">Where the document is held.</param>
/// <param name="Sent">The inviter's clock.</param>
public sealed record ReceivedInvitation(
    MessageId Id, AccountCard From, DocId Document, string Schema, string Note, IReadOnlyList<string> Urls, DateTimeOffset Sent);

/// <summary>An envelope held here.</summary>
/// <param name="Envelope">The envelope.</param>
/// <param name="Author">Who signed it.</param>
/// <param name="Seq">Its place in the author's chain.</param>
/// <param name="Type">What it carries.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Reason">Why it is not applied, if it is not.</param>
/// <param name="Why">One sentence for a person, where there is more to say.</param>
/// <param name="Receipts">Addresses of the servers whose verified receipt for it is held.</param>
public sealed record LogEntry(
    EnvelopeId Envelope, PeerId Author, ulong Seq, EnvelopeType Type, EnvelopeStatus Status, Reason? Reason, string? Why, IReadOnlyList<string> Receipts);

/// <summary>What checking everything held of a document came to.</summary>
/// <param name="Envelopes">Envelopes checked.</param>
/// <param name="Problems">One line each; empty if all is well.</param>
/// <param name="Evidence">What servers signed and did not keep to; checked again.</param>
public sealed record Verification(int Envelopes, IReadOnlyList<string> Problems, IReadOnlyList<ServerEvidence> Evidence);

/// <summary>What a server signed about a document's log and did not keep to (docs/protocol/log.md §5).</summary>
/// <param name="Url">The server's address, or its id if none is known.</param>
/// <param name="Server">The server.</param>
/// <param name="Kind"><c>fork</c>, <c>rollback</c>, <c>restored</c>, or the reason of a refusal without a record.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Proves">True if the server's own signatures prove it to anybody; else there is only this device's word.</param>
/// <param name="At">When it was noticed here.</param>
/// <param name="Record">The record (<see cref="CloudPeer.Sync.Log.Evidence"/>), to be handed on; null if there is none.</param>
public sealed record ServerEvidence(string Url, PeerId Server, string Kind, string Message, bool Proves, DateTimeOffset At, ReadOnlyMemory<byte>? Record);
