using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// What a set of statements means: which grants are valid, which hold now, which envelopes count (docs/protocol/statements.md §4).
/// An immutable snapshot, made by <see cref="PolicySet.Evaluate"/>.
/// </summary>
public sealed class PolicyView
{
    private readonly ImmutableList<Entry> _entries;
    private readonly ImmutableDictionary<EnvelopeId, Entry> _byId;
    private readonly Structure _structure;
    private readonly Evaluation _evaluation;
    private IReadOnlyList<Actor>? _readers;

    internal PolicyView(
        DocId document, ZoneTree zones, ImmutableList<Entry> entries, ImmutableDictionary<EnvelopeId, Entry> byId, Evaluation evaluation)
    {
        Document = document;
        _entries = entries;
        _byId = byId;
        _structure = new(document, zones, Find);
        _evaluation = evaluation;
    }

    /// <summary>The document.</summary>
    public DocId Document { get; }

    /// <summary>What the document is for; null without a genesis.</summary>
    public DocumentKind? Kind => (_evaluation.Genesis?.Statement.Body as Genesis)?.Kind;

    /// <summary>All grants, in the order in which they were added, whether they count or not.</summary>
    public IReadOnlyList<GrantStatus> Grants => [.. _entries.Select(entry => entry.Grant).OfType<GrantNode>().Select(StatusOf)];

    /// <summary>How many grants were judged, again or for the first time, to make this view from the one before it.</summary>
    internal int Judged => _evaluation.Judged;

    /// <summary>A grant; null if no statement of the set carries it.</summary>
    public GrantStatus? Grant(GrantId id) => Find(id.Envelope)?.Grant is { } grant ? StatusOf(grant) : null;

    /// <summary>True if the statement is a revocation or renounce that is effective (§4.6).</summary>
    public bool IsEffective(EnvelopeId revocation) =>
        Find(revocation) is { } entry && _structure.EndingOf(entry, _evaluation.HasSeniority) is { } ending && VerdictOf(ending) == Verdict.Counts;

    /// <summary>True if a structural grant of the set names the peer, valid or not, or the peer is the document's authority (envelope.md §3 step 3).</summary>
    public bool IsNamed(PeerId peer) => peer == Document.Authority || !_evaluation.Index.Of(peer).IsEmpty;

    /// <summary>True if the peer has the permission now (§4.10).</summary>
    public bool May(PeerId peer, Permission permission) =>
        _evaluation.Index.Of(peer).Concat(_evaluation.Index.OfAnyone).Any(grant => grant.Permission >= permission && Holds(grant));

    /// <summary>A grant that names the peer and gives it the permission now; null without one.</summary>
    public GrantId? Standing(PeerId peer, Permission permission) =>
        _evaluation.Index.Of(peer).FirstOrDefault(grant => grant.Permission >= permission && Holds(grant))?.Statement.Id.Grant;

    /// <summary>Who may read now, each once: the recipients that an epoch's keys are for. In the same order on all replicas.</summary>
    public IReadOnlyList<Actor> Readers() => _readers ??=
        [.. _evaluation.Index.All.Where(grant => grant.Permission >= Permission.Read && Holds(grant)).Select(grant => grant.Actor).DistinctBy(Identity)];

    /// <summary>True if an envelope counts under the permission it needs (§4.8): <see cref="Judge(PeerId, ulong, EnvelopeId, IReadOnlyList{EnvelopeId}, Permission, Func{PeerId, ulong, EnvelopeId?})"/>.</summary>
    public bool Allowed(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, Permission needed, Func<PeerId, ulong, EnvelopeId?> chain) =>
        Judge(author, seq, id, auth, needed, chain).Counts;

    /// <summary>Judges an envelope (§4.8). Deltas, rotate and wrap need <see cref="Permission.Write"/>.</summary>
    /// <param name="author">Who signed it.</param>
    /// <param name="seq">Its number on the author's chain.</param>
    /// <param name="id">The envelope.</param>
    /// <param name="auth">Its policy heads; those that the set does not hold cover nothing.</param>
    /// <param name="needed">The permission it needs.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public Ruling Judge(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, Permission needed, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var heads = auth.Select(Find).OfType<Entry>().ToList();
        var ruling = new Ruling(Verdict.NoGrant);
        foreach (var grant in _evaluation.Index.Of(author).Concat(_evaluation.Index.OfAnyone))
        {
            if (grant.Permission < needed || !Covers(heads, grant.Number)) continue;
            var next = JudgeUse(grant, heads, author, seq, id, chain);
            if (next.Counts) return next;
            ruling = next;
        }

        return ruling;
    }

    /// <summary>True if a server stores the statement (§4, last paragraph): <see cref="Judge(PolicyStatement, Func{PeerId, ulong, EnvelopeId?})"/>.</summary>
    public bool IsAcceptable(PolicyStatement statement, Func<PeerId, ulong, EnvelopeId?> chain) => Judge(statement, chain).Counts;

    /// <summary>
    /// Judges a statement, be it in the set or about to be added; its auth must be held. A grant counts if it is valid, a revocation or
    /// renounce if it is effective, a rotate or wrap if its author may Write, an account key if its author may Own an account document.
    /// A statement that is not in the set must also keep the limits.
    /// </summary>
    /// <param name="statement">The statement.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public Ruling Judge(PolicyStatement statement, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (statement.Document != Document) return new(Verdict.WrongDocument);
        var known = Find(statement.Id);
        if (known is null && _byId.Count >= Limits.Statements) return new(Verdict.TooManyStatements);
        var entry = known ?? Unheld(statement);
        return statement.Body switch
        {
            Genesis or Policy.Grant => JudgeGrant(entry.Grant!),
            Revoke or Renounce => JudgeEnding(entry),
            ZoneCreate => new(Verdict.OutsideZone),
            AccountKey when !_evaluation.HasSeniority => new(Verdict.NotAccountDocument),
            AccountKey => Judge(statement.Author, statement.Seq, statement.Id, statement.Auth, Permission.Own, chain),
            _ => JudgeEpoch(entry, chain),
        };
    }

    private Entry? Find(EnvelopeId id) => _byId.GetValueOrDefault(id);

    // Number -1 is in no set: what is not held yet was seen by nobody.
    private Entry Unheld(PolicyStatement statement)
    {
        var past = PolicySet.PastOf(statement.Auth, Find);
        return new(-1, statement, past) { Grant = _structure.GrantOf(-1, statement, past) };
    }

    private Ruling JudgeGrant(GrantNode grant)
    {
        if (grant.Number >= 0) return RulingOf(grant);
        if (grant.Structure != Verdict.Counts) return new(grant.Structure);
        if (grant.Statement.Body is Genesis && Kind is not null) return new(Verdict.BadGenesis);
        return Explain(_evaluation.Rely(grant.Parent, grant.Number, grant.Past), grant.Parent, grant.Number, grant.Past);
    }

    private Ruling JudgeEnding(Entry entry)
    {
        var ending = _structure.EndingOf(entry, _evaluation.HasSeniority)!;
        if (ending.Structure == Verdict.Counts && entry.Number < 0 && HasRevokedTooOften(ending)) return new(Verdict.TooManyRevocations);
        return Explain(VerdictOf(ending), ending.Proof, entry.Number, entry.Past);
    }

    private Verdict VerdictOf(Ending ending) => ending.Structure == Verdict.Counts
        ? _evaluation.Rely(ending.Proof, ending.Entry.Number, ending.Entry.Past, ending.IsRenounce)
        : ending.Structure;

    // Counted by author, so that nobody can use up the revocations that a superior needs.
    private bool HasRevokedTooOften(Ending ending)
    {
        var state = _evaluation.StateOf(ending.Target!);
        var earlier = ending.IsRenounce ? state.Renounces : state.Revocations;
        return earlier.Count(other => other.Entry.Statement.Author == ending.Entry.Statement.Author) >= Limits.RevocationsPerGrant;
    }

    private Ruling JudgeEpoch(Entry entry, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var statement = entry.Statement;
        var verdict = _structure.JudgeEpoch(statement.Body, entry.Past);
        return verdict == Verdict.Counts
            ? Judge(statement.Author, statement.Seq, statement.Id, statement.Auth, Permission.Write, chain)
            : new(verdict);
    }

    private Ruling JudgeUse(
        GrantNode grant, List<Entry> heads, PeerId author, ulong seq, EnvelopeId id, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var state = _evaluation.StateOf(grant);
        if (state.Verdict != Verdict.Counts) return new(Verdict.GrantDoesNotCount);
        if (state.Renounces.FirstOrDefault(renounce => Covers(heads, renounce.Entry.Number)) is { } left) return new(Verdict.Renounced, left.Entry.Statement.Id);
        foreach (var revocation in state.Revocations)
        {
            var verdict = JudgeCut((Revoke)revocation.Entry.Statement.Body, author, seq, id, chain);
            if (verdict != Verdict.Counts) return new(verdict, revocation.Entry.Statement.Id);
        }

        return new(Verdict.Counts);
    }

    private static Verdict JudgeCut(Revoke revoke, PeerId author, ulong seq, EnvelopeId id, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (revoke.CutOf(author) is not { } cut || seq > cut.Seq) return Verdict.AfterCut;
        var held = seq == cut.Seq ? id : chain(author, cut.Seq);
        return held is null || held == cut.Envelope ? Verdict.Counts : Verdict.OffChain;
    }

    private static bool Covers(List<Entry> heads, int number) => heads.Exists(head => head.Number == number || head.Past.Contains(number));

    private bool Holds(GrantNode grant) => _evaluation.StateOf(grant).Holds;

    private GrantStatus StatusOf(GrantNode grant)
    {
        var state = grant.Structure == Verdict.Counts ? _evaluation.StateOf(grant) : null;
        var ending = state?.Revocations.Concat(state.Renounces).FirstOrDefault();
        return new(grant.Statement, grant.Actor, grant.Permission, grant.Zone, grant.ParentId, RulingOf(grant), ending?.Entry.Statement.Id);
    }

    private Ruling RulingOf(GrantNode grant)
    {
        var verdict = grant.Structure == Verdict.Counts ? _evaluation.StateOf(grant).Verdict : grant.Structure;
        return Explain(verdict, grant.Parent, grant.Number, grant.Past);
    }

    private Ruling Explain(Verdict verdict, GrantNode? basis, int number, StatementSet past)
    {
        var by = verdict switch
        {
            Verdict.Revoked => _evaluation.StateOf(basis!).Revocations.FirstOrDefault(revocation => !revocation.Entry.Past.Contains(number)),
            Verdict.Renounced => _evaluation.StateOf(basis!).Renounces.FirstOrDefault(renounce => past.Contains(renounce.Entry.Number)),
            _ => null,
        };
        return new(verdict, by?.Entry.Statement.Id);
    }

    private static (Type Kind, Bytes32 Id) Identity(Actor actor) =>
        (actor.GetType(), actor is AccountActor account ? account.Account.Value : actor.Peer?.Value ?? default);
}
