using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>A server's log contradicts itself, or what it promised (docs/protocol/log.md §3, §5, §6).</summary>
/// <param name="Reason"><see cref="Reason.ServerFork"/>, <see cref="Reason.ServerRollback"/>, or <see cref="Reason.BadSignature"/>.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Evidence">What the server signed about it; null if it signed nothing.</param>
public sealed record LogFault(Reason Reason, string Message, Evidence? Evidence)
{
    /// <summary>The fault as an exception.</summary>
    public TlfsException ToException() => new(Reason, Message);
}

/// <summary>What taking a generation changed.</summary>
/// <param name="Fault">Why it is not accepted, or null.</param>
/// <param name="IsNew">True if it was accepted and not known before.</param>
/// <param name="Lost">The last head that was accepted, if it lies beyond what was restored.</param>
public readonly record struct GenerationTaken(LogFault? Fault, bool IsNew = false, LogHead? Lost = null);

/// <summary>The beginning of a log as it is stored: what was pulled before.</summary>
public interface IPulledLog
{
    /// <summary>The root that the log had at a size from 1 to that of what is stored.</summary>
    Bytes32 RootAt(ulong size);

    /// <summary>The envelope at an index of what is stored.</summary>
    EnvelopeId IdAt(ulong index);

    /// <summary>The first envelopes of the log.</summary>
    IReadOnlyList<EnvelopeId> Ids(ulong count);
}

/// <summary>
/// What this device knows of one document's log at one server: everything it pulled, from the first entry on, and what the server signed
/// about entries that it has not pulled yet. It finds out when the server forks the log or takes something back.
/// </summary>
/// <param name="document">The document.</param>
/// <param name="server">The server; only heads that it signed are accepted.</param>
public sealed class LogCursor(DocId document, PeerId server)
{
    // Sizes beyond what was pulled, and what the server, or an inviter, stated for each.
    private readonly SortedDictionary<ulong, Promised> _promised = [];
    private readonly List<Generation> _generations = [];
    private readonly List<PulledId> _appended = [];
    private IPulledLog? _stored;
    private ulong _storedSize;
    private Promised? _broken;

    /// <summary>A cursor as it was stored.</summary>
    public LogCursor(DocId document, PeerId server, CompactRange pulled, LogHead? head, IReadOnlyList<Generation> generations, IPulledLog stored)
        : this(document, server)
    {
        Pulled = pulled;
        Head = head;
        _stored = stored;
        _storedSize = pulled.Size;
        _generations = [.. generations];
        if (head is not null) Promise(new HeadStatement(head), verified: true);
    }

    /// <summary>The document.</summary>
    public DocId Document => document;

    /// <summary>The server.</summary>
    public PeerId Server => server;

    /// <summary>The frontier of what was pulled; its size is the next index to pull.</summary>
    public CompactRange Pulled { get; private set; } = CompactRange.Empty;

    /// <summary>What was pulled since the cursor was stored, and the root after each.</summary>
    public IReadOnlyList<PulledId> Appended => _appended;

    /// <summary>The last head that was accepted.</summary>
    public LogHead? Head { get; private set; }

    /// <summary>The generations of the log that are known, oldest first.</summary>
    public IReadOnlyList<Generation> Generations => _generations;

    /// <summary>The size below which this log must never be again.</summary>
    public ulong AtLeast => Math.Max(Pulled.Size, _promised.Count == 0 ? 0 : _promised.Keys.Last());

    /// <summary>
    /// True if what was pulled is not what the server signed before. What it shows is not to be stored; its next head makes the proof, or
    /// <see cref="Unfinished"/> says it without one.
    /// </summary>
    public bool IsBroken => _broken is not null;

    /// <summary>True if the log had this root at this size, and was pulled so far.</summary>
    public bool Agrees(ulong size, Bytes32 root) => size <= Pulled.Size && RootAt(size) == root;

    /// <summary>
    /// Notes what the server signed about the log: a receipt, a head, also one that another device saw. At a size that was pulled the roots are compared,
    /// a greater one is a promise. What is signed wrongly, or was taken back by a restore, says nothing.
    /// </summary>
    /// <returns>The fault, if it signed something else before; null as well while only its next head can prove that.</returns>
    public LogFault? Promise(LogStatement said, bool verified = false) => Promise(said, verified, isSeen: false);

    /// <summary>
    /// Notes a verified head that another device saw. Unlike what this device was given, it may be of a generation that the server has not told of here yet.
    /// </summary>
    /// <returns>The fault, as for <see cref="Promise(LogStatement, bool)"/>.</returns>
    public LogFault? PromiseSeen(LogHead head) => Promise(new HeadStatement(head), verified: true, isSeen: true);

    /// <summary>
    /// Takes a verified receipt of this device, which was given after the last generation that is known: no generation takes it back, whatever its time.
    /// Its envelope is compared as well as its root: else a server could acknowledge an envelope and give its place to another one.
    /// </summary>
    /// <param name="receipt">The receipt.</param>
    /// <param name="isNew">True for one that the server gave just now; false for one that was kept.</param>
    /// <returns>The fault, if the server signed something else before.</returns>
    /// <exception cref="TlfsException"><c>unavailable</c>: the server signs as if it were before a restore that it has told of.</exception>
    public LogFault? Take(Receipt receipt, bool isNew = true)
    {
        var said = new ReceiptStatement(receipt);
        if (isNew) ThrowIfBehind(said);
        var envelope = receipt.Leaf.Envelope;
        return Agrees(said.Size, said.Root) && IdAt(said.Size - 1) == envelope ? null : Note(said.Size, new(said.Size, said.Root, said, envelope));
    }

    /// <summary>Notes the root that somebody else saw; the server's signature is not at hand.</summary>
    public LogFault? Promise(ulong size, Bytes32 root)
    {
        if (Agrees(size, root) || _generations.Exists(each => size > each.Size)) return null;
        return Note(size, new(size, root, null));
    }

    /// <summary>Takes the next entry of the log.</summary>
    public void Append(EnvelopeId envelope)
    {
        Pulled = Pulled.Append(envelope);
        var root = Pulled.Root;
        _appended.Add(new(envelope, root));
        if (_promised.Remove(Pulled.Size, out var promised) && (promised.Root != root || (promised.Last is { } last && last != envelope))) _broken ??= promised;
    }

    /// <summary>What was appended is stored now.</summary>
    public void MarkStored(IPulledLog stored)
    {
        _stored = stored;
        _storedSize = Pulled.Size;
        _appended.Clear();
    }

    /// <summary>Takes the head with which a pull ended (log.md §3.1, §3.2).</summary>
    /// <param name="head">The head.</param>
    /// <param name="atLeast">
    /// <see cref="AtLeast"/> when the head was asked for: what became known while it was under way may be newer. 0 on a live connection.
    /// </param>
    /// <returns>The fault, if it is not the head of exactly what was pulled, or is smaller than what was promised.</returns>
    /// <exception cref="TlfsException"><c>unavailable</c>: the server signs as if it were before a restore that it has told of.</exception>
    public LogFault? Accept(LogHead head, ulong atLeast)
    {
        if (head.Document != document || head.Server != server || !head.Verify())
            return new(Reason.BadSignature, "the server's log head is not signed by the server that was added, for this document", null);
        var said = new HeadStatement(head);
        if (head.Size < Math.Max(atLeast, Pulled.Size)) return Rollback(said);
        if (head.Size != Pulled.Size || head.Root != Pulled.Root) return Fork(Head is null ? null : new HeadStatement(Head), said);
        if (_broken is { } broken) return Fork(broken.By, said);
        ThrowIfBehind(said);
        Head = head;
        return null;
    }

    /// <summary>The fault of a log that is broken and whose head did not come.</summary>
    public LogFault? Unfinished() => _broken is { } broken ? Fork(broken.By, null) : null;

    /// <summary>
    /// Takes a generation (log.md §6.2). A new one whose log this was takes the cursor back to what was restored; what the server
    /// signed beyond counts no more.
    /// </summary>
    /// <param name="generation">The generation.</param>
    /// <param name="now">This device's clock, microseconds since 1970.</param>
    /// <exception cref="TlfsException">
    /// <c>unavailable</c>: it is of a time to come, so it would take back what is signed until then; <c>too-large</c>: there are more of them than are kept.
    /// </exception>
    public GenerationTaken Take(Generation generation, ulong now)
    {
        if (generation.Document != document || generation.Server != server || !generation.Verify())
            return new(new(Reason.BadSignature, "the server's log generation is not signed by the server that was added, for this document", null));
        var said = new GenerationStatement(generation);
        if (_generations.Find(each => each.Number == generation.Number) is { } known)
            return new((known.Size, known.Root, known.Micros) == (generation.Size, generation.Root, generation.Micros) ? null : Fork(new GenerationStatement(known), said));
        if (_generations.Count > 0 && generation.Number < _generations[^1].Number) return default;
        if (generation.Size <= Pulled.Size && RootAt(generation.Size) != generation.Root) return new(Fork(said, Head is null ? null : new HeadStatement(Head)));
        if (Statements(withSeen: false).FirstOrDefault(each => each.Size > generation.Size && each.Micros >= generation.Micros) is { } later) return new(Rollback(later, said));
        ThrowIfToCome(generation, now);
        if (_generations.Count >= Evidence.MaxGenerations)
            throw new TlfsException(Reason.TooLarge, $"the server began this document's log anew more than {Evidence.MaxGenerations} times, which is more than can be followed; use another cloudpeer for it");
        var lost = Head?.Size > generation.Size ? Head : null;
        GoBack(generation);
        return new(null, IsNew: true, lost);
    }

    /// <summary>A fork that is not proven yet, with the whole log that the server shows now: its ids prove what its head begins with.</summary>
    public static LogFault Prove(LogFault fault, LogHead head, IReadOnlyList<EnvelopeId> shown)
    {
        if (fault.Evidence is not { Kind: EvidenceKind.Fork } evidence || (ulong)shown.Count != head.Size || evidence.Verify()) return fault;
        var longer = new HeadStatement(head);
        foreach (var shorter in evidence.Statements.Where(each => each.Size <= head.Size))
        {
            var prefix = shorter.Size < head.Size ? PrefixOf(shown, shorter.Size) : null;
            var proven = evidence with { Statements = [shorter, longer], Prefix = prefix };
            if (proven.Verify()) return fault with { Evidence = proven };
        }

        return fault;
    }

    // What is signed before a generation counts no more. If one of a time to come were taken, nothing would count that the server signs until then.
    private static void ThrowIfToCome(Generation generation, ulong now)
    {
        if (generation.Micros <= now || generation.Micros - now <= Evidence.Unordered) return;
        throw new TlfsException(
            Reason.Unavailable,
            "the server says that it was restored at a time that is still to come; check this device's clock, else ask the server's operator to set its clock and to restore the backup again");
    }

    // For the same reason nothing is accepted that is signed now and that a generation takes back. Servers' clocks differ a little; what lies within that counts.
    private void ThrowIfBehind(LogStatement said)
    {
        if (!_generations.Exists(each => each.TakesBack(said.Size, said.Micros) && each.Micros - said.Micros > Evidence.Unordered)) return;
        throw new TlfsException(
            Reason.Unavailable,
            "the server's clock is behind the time at which it says that it was restored, so what it signs counts for nothing; ask its operator to set its clock, or use another cloudpeer");
    }

    private LogFault? Promise(LogStatement said, bool verified, bool isSeen)
    {
        if (Agrees(said.Size, said.Root)) return null;
        if (_generations.Exists(each => each.TakesBack(said.Size, said.Micros)) || (!verified && !said.Verify())) return null;
        return Note(said.Size, new(said.Size, said.Root, said, IsSeen: isSeen));
    }

    private LogFault? Note(ulong size, Promised promised)
    {
        if (size <= Pulled.Size)
        {
            // Head is a signature over what was pulled up to there; beyond, only the next head is.
            if (Head?.Size >= size) return Fork(promised.By, new HeadStatement(Head));
            _broken ??= promised;
            return null;
        }

        if (_promised.TryAdd(size, promised)) return null;
        var earlier = _promised[size];
        if (earlier.Root != promised.Root || (earlier.Last is { } last && promised.Last is { } other && last != other)) return Fork(earlier.By, promised.By);
        if (promised.Weight > earlier.Weight) _promised[size] = promised;
        return null;
    }

    private void GoBack(Generation generation)
    {
        _generations.Add(generation);
        foreach (var promised in _promised.Values.Where(each => each.Size > generation.Size && !each.IsSeenSince(generation)).ToArray()) _promised.Remove(promised.Size);
        if (Head?.Size > generation.Size) Head = null;
        if (_broken?.Size > generation.Size)
        {
            // The log begins anew there, so what others saw of it since is still to come.
            if (_broken.IsSeenSince(generation)) _promised.TryAdd(_broken.Size, _broken);
            _broken = null;
        }

        if (generation.Size >= Pulled.Size)
        {
            Promise(new GenerationStatement(generation), verified: true);
            return;
        }

        Pulled = Ids(generation.Size).Aggregate(CompactRange.Empty, (range, id) => range.Append(id));
        _storedSize = Math.Min(_storedSize, generation.Size);
        var kept = (int)(generation.Size - _storedSize);
        _appended.RemoveRange(kept, _appended.Count - kept);
    }

    private Bytes32 RootAt(ulong size)
    {
        if (size == 0) return MerkleTree.EmptyRoot;
        return size <= _storedSize ? _stored!.RootAt(size) : _appended[(int)(size - _storedSize) - 1].Root;
    }

    private EnvelopeId IdAt(ulong index) => index < _storedSize ? _stored!.IdAt(index) : _appended[(int)(index - _storedSize)].Id;

    private IReadOnlyList<EnvelopeId> Ids(ulong count)
    {
        var stored = Math.Min(count, _storedSize);
        return [.. stored == 0 ? [] : _stored!.Ids(stored), .. _appended.Take((int)(count - stored)).Select(each => each.Id)];
    }

    private IEnumerable<LogStatement> Statements(bool withSeen = true)
    {
        foreach (var promised in _promised.Values)
            if (promised.By is { } said && (withSeen || !promised.IsSeen)) yield return said;
        if (_broken?.By is { } broken && (withSeen || !_broken.IsSeen)) yield return broken;
        if (Head is not null) yield return new HeadStatement(Head);
    }

    private LogFault Rollback(HeadStatement shown)
    {
        var signed = Statements().MaxBy(each => each.Size);
        return Rollback(signed is not null && signed.Size > shown.Size ? signed : null, shown);
    }

    private LogFault Rollback(LogStatement? earlier, LogStatement shown) => new(
        Reason.ServerRollback,
        $"the server shows {shown.Size} envelopes of this document but acknowledged {Math.Max(AtLeast, earlier?.Size ?? 0)} before; it is not trusted with it any more, and both statements are kept as evidence",
        new(EvidenceKind.Rollback, document, server, earlier is null ? [shown] : [earlier, shown], [.. _generations]));

    private LogFault Fork(LogStatement? one, LogStatement? other)
    {
        LogStatement[] said = [.. new[] { one, other }.OfType<LogStatement>().OrderBy(each => each.Size)];
        var prefix = said is [var shorter, var longer] && shorter.Size < longer.Size && longer.Size <= Pulled.Size && longer.Root == RootAt(longer.Size)
            ? PrefixOf(Ids(longer.Size), shorter.Size)
            : null;
        return new(
            Reason.ServerFork,
            "the server's log of this document contradicts what it signed before; it is not trusted with it any more, and both statements are kept as evidence",
            new(EvidenceKind.Fork, document, server, said, [.. _generations], prefix));
    }

    private static LogPrefix PrefixOf(IReadOnlyList<EnvelopeId> ids, ulong size)
    {
        Bytes32[] leaves = [.. ids.Select(id => MerkleTree.Leaf(id.Value))];
        return new(MerkleTree.Root(leaves[..(int)size]), MerkleTree.ConsistencyProof(leaves, (int)size));
    }

    /// <summary>What is said of a log's root at a size.</summary>
    /// <param name="Size">The size.</param>
    /// <param name="Root">The root.</param>
    /// <param name="By">The server's signature; null if somebody else said it.</param>
    /// <param name="Last">The envelope that a receipt names as the last one of that size.</param>
    /// <param name="IsSeen">True if only another device is known to have been given it.</param>
    private sealed record Promised(ulong Size, Bytes32 Root, LogStatement? By, EnvelopeId? Last = null, bool IsSeen = false)
    {
        /// <summary>Which of two for one size says more: a receipt, a head, one that another device saw, what somebody said.</summary>
        public int Weight => By is null ? 0 : IsSeen ? 1 : Last is null ? 2 : 3;

        /// <summary>True if another device was given it after the generation began.</summary>
        public bool IsSeenSince(Generation generation) => IsSeen && By?.Micros >= generation.Micros;
    }
}

/// <summary>An entry that was pulled.</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Root">The log's root just after it.</param>
public readonly record struct PulledId(EnvelopeId Id, Bytes32 Root);
