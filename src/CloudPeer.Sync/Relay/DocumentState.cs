using System.Collections.Immutable;
using CloudPeer.Sync.Log;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Whom the server serves a document to (sync.md §1.3).</summary>
public enum HostingState
{
    /// <summary>The server never held a Sync grant in it: only the hosting tenant's devices are served.</summary>
    Private = 0,
    /// <summary>The server holds a Sync grant: everybody with Sync or more is served.</summary>
    Served = 1,
    /// <summary>The server's Sync grant was revoked: the document can be read, and not be written.</summary>
    Ended = 2,
    /// <summary>
    /// The log is not there yet up to what gives the hosting tenant Control, which was shown beside it: only the tenant's devices are served, and they
    /// are without rights in the log.
    /// </summary>
    Opening = 3,
    /// <summary>The server's Sync grant was revoked, and the log is not there yet up to the new one, which was shown beside it: as if it were served.</summary>
    Returning = 4,
}

/// <summary>The end of an author's chain in a document.</summary>
/// <param name="Seq">Number of the author's last envelope.</param>
/// <param name="Id">That envelope.</param>
/// <param name="Index">Its place in the log.</param>
/// <param name="IsPolicy">True if it is a statement.</param>
/// <param name="Auth">The policy heads it names; the next envelope must cover them (envelope.md §3.3).</param>
public sealed record AuthorTip(ulong Seq, EnvelopeId Id, ulong Index, bool IsPolicy, IReadOnlyList<EnvelopeId> Auth)
{
    /// <summary>Bytes of all the author's envelopes in the document.</summary>
    public ulong StoredBytes { get; init; }
}

/// <summary>
/// All that the relay must know of a document to append to it: one row of the store. Immutable; since a log only grows, two states of a
/// document with the same generation and log size are the same state, but for counters of bytes that an operator repaired.
/// </summary>
/// <param name="Document">The document.</param>
/// <param name="Host">The tenant that is charged for it.</param>
/// <param name="Hosting">Whom it is served to.</param>
/// <param name="Log">The frontier of its log.</param>
/// <param name="Statements">How many of the log's envelopes are policy statements: the version of its policy.</param>
/// <param name="StoredBytes">Bytes of all its envelopes.</param>
/// <param name="Tips">The chains of its authors.</param>
public sealed record DocumentState(
    DocId Document,
    AccountId Host,
    HostingState Hosting,
    CompactRange Log,
    int Statements,
    ulong StoredBytes,
    ImmutableDictionary<PeerId, AuthorTip> Tips)
{
    /// <summary>The app that brought the document with its first push; empty if none said so.</summary>
    public string App { get; init; } = string.Empty;

    /// <summary>The generation with which the log began, because an earlier one was deleted (log.md §6.6); 0 if none was.</summary>
    public uint Generation { get; init; }

    /// <summary>A document without envelopes.</summary>
    public static DocumentState Empty(DocId document, AccountId host) =>
        new(document, host, HostingState.Opening, CompactRange.Empty, 0, 0, ImmutableDictionary<PeerId, AuthorTip>.Empty);

    /// <summary>Envelopes in the log.</summary>
    public ulong Size => Log.Size;

    /// <summary>True while nobody but the hosting tenant's devices is served.</summary>
    public bool IsForHostOnly => Hosting is HostingState.Private or HostingState.Opening;

    /// <summary>True if the document was deleted and begun anew between the two: the one log says nothing about the other.</summary>
    public bool IsOtherLogThan(DocumentState other) => Generation != other.Generation;

    /// <summary>The shares that the document has in its host's room. The authority only signs the genesis, so it is nobody's share.</summary>
    public IEnumerable<(UsageShare Share, ulong Bytes)> Shares()
    {
        foreach (var (author, tip) in Tips)
            if (author != Document.Authority) yield return (UsageShare.Of(author), tip.StoredBytes);
        if (App.Length > 0) yield return (UsageShare.Of(App), StoredBytes);
    }
}
