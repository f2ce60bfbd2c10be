using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>Proof that a server's log contradicts itself, or what it promised (docs/protocol/log.md §3).</summary>
/// <param name="Reason"><see cref="Reason.ServerFork"/>, <see cref="Reason.ServerRollback"/>, or <see cref="Reason.BadSignature"/>.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Earlier">The last head that was accepted, if any.</param>
/// <param name="Later">The head that contradicts it, if a head does.</param>
public sealed record LogFault(Reason Reason, string Message, LogHead? Earlier, LogHead? Later)
{
    /// <summary>The fault as an exception.</summary>
    public TlfsException ToException() => new(Reason, Message);
}

/// <summary>
/// What this device knows of one document's log at one server: everything it pulled, from the first entry on, and what the server signed
/// about entries that it has not pulled yet. It finds out when the server forks the log or takes something back. Does no I/O.
/// </summary>
/// <param name="document">The document.</param>
/// <param name="server">The server; only heads that it signed are accepted.</param>
public sealed class LogCursor(DocId document, PeerId server)
{
    // Sizes beyond what was pulled, and the root that the server, or an inviter, stated for each.
    private readonly SortedDictionary<ulong, Bytes32> _promised = [];

    /// <summary>A cursor as it was stored.</summary>
    public LogCursor(DocId document, PeerId server, CompactRange pulled, LogHead? head)
        : this(document, server)
    {
        Pulled = pulled;
        Head = head;
        if (head is not null) Promise(head.Size, head.Root);
    }

    /// <summary>The document.</summary>
    public DocId Document => document;

    /// <summary>The server.</summary>
    public PeerId Server => server;

    /// <summary>The frontier of what was pulled; its size is the next index to pull.</summary>
    public CompactRange Pulled { get; private set; } = CompactRange.Empty;

    /// <summary>The last head that was accepted.</summary>
    public LogHead? Head { get; private set; }

    /// <summary>The size below which this log must never be again.</summary>
    public ulong Promised => Math.Max(Pulled.Size, _promised.Count == 0 ? 0 : _promised.Keys.Last());

    /// <summary>
    /// Notes the root that the log has, or will have, at a size: from a receipt, a head or an invitation. What lies before the frontier was checked
    /// when it was pulled, or is checked by the next head.
    /// </summary>
    /// <returns>The fault, if another root was promised for that size.</returns>
    public LogFault? Promise(ulong size, Bytes32 root)
    {
        if (size < Pulled.Size) return null;
        if (size == Pulled.Size) return root == Pulled.Root ? null : Fork(null);
        if (_promised.TryAdd(size, root) || _promised[size] == root) return null;
        return Fork(null);
    }

    /// <summary>Takes the next entry of the log.</summary>
    /// <returns>The fault, if the log is not the one that was promised.</returns>
    public LogFault? Append(EnvelopeId envelope)
    {
        Pulled = Pulled.Append(envelope);
        return _promised.Remove(Pulled.Size, out var root) && root != Pulled.Root ? Fork(null) : null;
    }

    /// <summary>Takes the head with which a pull ended (log.md §3.1, §3.2).</summary>
    /// <param name="head">The head.</param>
    /// <param name="mayBeEarlier">True if it may have been signed before the newest promise, because both were under way at once: on a live connection.</param>
    /// <returns>The fault, if it is not the head of exactly what was pulled, or is smaller than what was promised.</returns>
    public LogFault? Accept(LogHead head, bool mayBeEarlier = false)
    {
        if (head.Document != document || head.Server != server || !head.Verify())
            return new(Reason.BadSignature, "the server's log head is not signed by the server that was added, for this document", Head, head);
        if (head.Size < (mayBeEarlier ? Pulled.Size : Promised)) return Rollback(head);
        if (head.Size != Pulled.Size || head.Root != Pulled.Root) return Fork(head);
        Head = head;
        return null;
    }

    private LogFault Rollback(LogHead head) => new(
        Reason.ServerRollback,
        $"the server shows {head.Size} envelopes of this document but acknowledged {Promised} before; it is not trusted with it any more, and both statements are kept as evidence",
        Head,
        head);

    private LogFault Fork(LogHead? head) => new(
        Reason.ServerFork,
        "the server's log of this document contradicts what it signed before; it is not trusted with it any more, and both statements are kept as evidence",
        Head,
        head);
}
