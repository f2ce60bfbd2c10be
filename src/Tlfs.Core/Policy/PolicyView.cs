using System.Collections.Concurrent;
using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// What a set of statements means: which grants are valid, which hold now, which envelopes count (docs/protocol/statements.md §4).
/// An immutable snapshot, made by <see cref="PolicySet.Evaluate"/>.
/// </summary>
public sealed partial class PolicyView
{
    private readonly ImmutableList<Entry> _entries;
    private readonly ImmutableDictionary<EnvelopeId, Entry> _byId;
    private readonly Structure _structure;
    private readonly Evaluation _evaluation;
    private readonly Forks _forks;
    private readonly Lazy<ILookup<PeerId, Release>> _releases;
    private readonly Lazy<ILookup<ZoneId, GrantNode>> _readGrants;
    private readonly ConcurrentDictionary<ZoneId, IReadOnlyList<Reader>> _readers = [];

    internal PolicyView(
        DocId document, ZoneTree zones, Forks forks, ImmutableList<Entry> entries, ImmutableDictionary<EnvelopeId, Entry> byId, Evaluation evaluation)
    {
        Document = document;
        _entries = entries;
        _byId = byId;
        Zones = zones;
        _forks = forks;
        _structure = new(document, () => zones, () => forks, Find);
        _evaluation = evaluation;
        _releases = new(FindReleases);
        _readGrants = new(() => evaluation.Index.All.Where(grant => grant.Permission >= Permission.Read && Holds(grant)).ToLookup(grant => grant.Zone));
    }

    /// <summary>The document.</summary>
    public DocId Document { get; }

    /// <summary>What the document is for; null without a genesis.</summary>
    public DocumentKind? Kind => (_evaluation.Genesis?.Statement.Body as Genesis)?.Kind;

    /// <summary>All grants, in the order in which they were added, whether they count or not.</summary>
    public IReadOnlyList<GrantStatus> Grants => [.. _entries.Select(entry => entry.Grant).OfType<GrantNode>().Select(StatusOf)];

    /// <summary>How many grants were judged, again or for the first time, to make this view from the one before it.</summary>
    internal int Judged => _evaluation.Judged;

    /// <summary>
    /// How much work it was to make this view from the one before it: a step for each new statement, for each grant that was judged, and for each statement
    /// that a judged grant was compared with. At most three for each statement of the set.
    /// </summary>
    public int Steps => _evaluation.Steps;

    /// <summary>A grant; null if no statement of the set carries it.</summary>
    public GrantStatus? Grant(GrantId id) => Find(id.Envelope)?.Grant is { } grant ? StatusOf(grant) : null;

    /// <summary>True if the statement is a revocation or renounce that is effective (§4.6).</summary>
    public bool IsEffective(EnvelopeId revocation) =>
        Find(revocation) is { } entry && _structure.EndingOf(entry, _evaluation.HasSeniority) is { } ending && VerdictOf(ending) == Verdict.Counts;

    /// <summary>True if a structural grant of the set names the peer, valid or not, or the peer is the document's authority (envelope.md §3 step 3).</summary>
    public bool IsNamed(PeerId peer) => peer == Document.Authority || !_evaluation.Index.Of(peer).IsEmpty;

    /// <summary>The zones.</summary>
    public ZoneTree Zones { get; }

    /// <summary>True if the peer has the permission on the whole document now: on zone 0.</summary>
    public bool May(PeerId peer, Permission permission) => May(peer, permission, ZoneId.Root);

    /// <summary>
    /// True if the peer has the permission in all of the zone now (§4.10). A grant on one path inside a zone lets its holder read that zone, and
    /// write nowhere else.
    /// </summary>
    public bool May(PeerId peer, Permission permission, ZoneId zone) => GrantsOf(peer).Any(grant => Gives(grant, permission, zone));

    /// <summary>True if the peer may read the zone now.</summary>
    public bool MayRead(PeerId peer, ZoneId zone) => May(peer, Permission.Read, zone);

    /// <summary>True if the peer has the permission in some zone now.</summary>
    public bool MayAnywhere(PeerId peer, Permission permission) =>
        GrantsOf(peer).Any(grant => grant.InWholeZone >= permission && Holds(grant));

    /// <summary>A grant that names the peer and gives it the permission on the whole document now; null without one.</summary>
    public GrantId? Standing(PeerId peer, Permission permission) => Standing(peer, permission, ZoneId.Root);

    /// <summary>A grant that names the peer and gives it the permission in all of the zone now; null without one.</summary>
    public GrantId? Standing(PeerId peer, Permission permission, ZoneId zone) =>
        _evaluation.Index.Of(peer).FirstOrDefault(grant => Gives(grant, permission, zone))?.Statement.Id.Grant;

    /// <summary>Who may read the whole document now: the actors of <see cref="Readers(ZoneId)"/> for zone 0.</summary>
    public IReadOnlyList<Actor> Readers() => [.. Readers(ZoneId.Root).Select(reader => reader.Actor)];

    /// <summary>Who may read the zone now, each once: whom its keys are for. In the same order on all replicas.</summary>
    public IReadOnlyList<Reader> Readers(ZoneId zone) => _readers.GetOrAdd(zone, FindReaders);

    /// <summary>True if one statement is in the past of another; false if the set does not hold both.</summary>
    public bool IsBefore(EnvelopeId earlier, EnvelopeId later) =>
        Find(earlier) is { } first && Find(later) is { } second && second.Past.Contains(first.Number);

    /// <summary>All statements that one has seen, each after those that it has seen itself; none if the set does not hold it.</summary>
    public IReadOnlyList<EnvelopeId> PastOf(EnvelopeId statement) =>
        Find(statement) is { } found ? [.. _entries.Where(entry => found.Past.Contains(entry.Number)).Select(entry => entry.Statement.Id)] : [];

    private Entry? Find(EnvelopeId id) => _byId.GetValueOrDefault(id);

    private IEnumerable<GrantNode> GrantsOf(PeerId peer) => _evaluation.Index.Of(peer).Concat(_evaluation.Index.OfAnyone);

    private bool Gives(GrantNode grant, Permission permission, ZoneId zone) =>
        grant.InWholeZone >= permission && Zones.IsAtOrAbove(grant.Zone, zone) && Holds(grant);

    private List<Reader> FindReaders(ZoneId zone)
    {
        var covering = new List<GrantNode>();
        for (ZoneId? above = zone; above is { } at; above = Zones.Parent(at)) covering.AddRange(_readGrants.Value[at]);
        covering.Sort(GrantNode.ByKey);
        return [.. covering.GroupBy(grant => Identity(grant.Actor)).Select(grants => ReaderOf([.. grants], zone))];
    }

    private static Reader ReaderOf(List<GrantNode> grants, ZoneId zone)
    {
        var history = grants.Exists(grant => !grant.FromNow);
        var above = grants.FindAll(grant => grant.Zone != zone);
        var isDirect = above.Count == 0 || (history && above.TrueForAll(grant => grant.FromNow));
        return new(grants[0].Actor, history, [.. grants.Select(grant => grant.Statement.Id.Grant)], isDirect);
    }

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
