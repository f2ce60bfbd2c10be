using CloudPeer.Sync.Client;
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
public sealed record CloudpeerState(string Url, PeerId Server, bool EveryDocument, string? App, Entitlement? Entitlement);

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
public sealed record RefusedEnvelope(EnvelopeId Envelope, Reason Reason, string Message);

/// <summary>What synchronising one document with one server came to.</summary>
/// <param name="Document">The document.</param>
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
    /// <summary>True if both sides hold the same.</summary>
    public bool Complete => Error is null && Unsent == 0;
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
    TlfsException? Fault);

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
public sealed record Verification(int Envelopes, IReadOnlyList<string> Problems);
