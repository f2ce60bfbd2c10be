using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy.Independent;

/// <summary>An envelope as far as the policy is concerned.</summary>
public sealed record Use(PeerId Author, ulong Seq, EnvelopeId Id, IReadOnlyList<EnvelopeId> Auth);

/// <summary>
/// docs/protocol/statements.md §4 and §6.1, sentence by sentence, written without the product's evaluation: recursive, from scratch, in no hurry. It shares the
/// statements' records with the product and nothing else.
/// </summary>
public sealed class PolicyByTheText(DocId document, IReadOnlyCollection<PolicyStatement> held, Func<PeerId, ulong, EnvelopeId?> chain)
{
    private readonly Dictionary<EnvelopeId, PolicyStatement> _held = held.ToDictionary(statement => statement.Id);
    private readonly Dictionary<ZoneId, PolicyStatement> _zones = held.Where(statement => statement.Body is ZoneCreate).ToDictionary(statement => statement.Id.Zone);
    private readonly Dictionary<EnvelopeId, HashSet<EnvelopeId>> _pasts = [];
    private readonly Dictionary<(string Question, EnvelopeId Statement), bool> _answers = [];

    private sealed record Terms(Actor Actor, Permission Permission, ZoneId Zone, EnvelopeId? Parent, bool HasSub);

    private PolicyStatement? TheGenesis => _held.Values.Where(s => s.Body is Genesis && Structural(s.Id)).MinBy(s => s.Id);

    private bool IsAccount => TheGenesis?.Body is Genesis { Kind: DocumentKind.Account };

    private IEnumerable<EnvelopeId> Grants => _held.Values.Where(s => s.Body is Genesis or Grant).Select(s => s.Id);

    private IEnumerable<EnvelopeId> EffectiveRevocations(EnvelopeId grant) =>
        _held.Values.Where(s => s.Body is Revoke revoke && revoke.Target.Envelope == grant && Effective(s.Id)).Select(s => s.Id);

    private IEnumerable<EnvelopeId> EffectiveRenounces(EnvelopeId grant) =>
        _held.Values.Where(s => s.Body is Renounce renounce && renounce.Target.Envelope == grant && Effective(s.Id)).Select(s => s.Id);

    // past(s): the closure of s's auth over policy envelopes, without s.
    public HashSet<EnvelopeId> Past(EnvelopeId statement)
    {
        if (!_pasts.TryGetValue(statement, out var past)) _pasts[statement] = past = Past(_held[statement].Auth);
        return past;
    }

    private HashSet<EnvelopeId> Past(IReadOnlyList<EnvelopeId> auth) => [.. auth.Where(_held.ContainsKey).SelectMany(head => Past(head).Append(head))];

    // §4.1 to §4.3, §4.9 and §6.1.
    public bool Structural(EnvelopeId id) => Answer("structural", id, s => s.Body switch
    {
        Genesis genesis => genesis.Document == document && s.Author == document.Authority && s.Seq == 1 && s.Auth.Count == 0 && genesis.Actor is not AnyoneActor,
        Grant grant => StructuralGrant(s, grant),
        Revoke revoke => StructuralGrantIn(Past(id), revoke.Target.Envelope) && (revoke.Proof is { } proof
            ? StructuralGrantIn(Past(id), proof.Envelope) && Names(proof.Envelope, s.Author) && Of(proof.Envelope).Permission >= Permission.Control
                && proof != revoke.Target && Dominates(proof.Envelope, revoke.Target.Envelope)
            : s.Author == document.Authority),
        Renounce renounce => StructuralGrantIn(Past(id), renounce.Target.Envelope) && Names(renounce.Target.Envelope, s.Author)
            && Of(renounce.Target.Envelope).Actor is not AnyoneActor,
        ZoneCreate create => StructuralGrantIn(Past(id), create.Grant.Envelope) && Of(create.Grant.Envelope) is { HasSub: false, Permission: >= Permission.Control } terms
            && Names(create.Grant.Envelope, s.Author) && ZoneIn(Past(id), create.Parent) && AtOrAbove(terms.Zone, create.Parent),
        Rotate rotate => ZoneIn(Past(id), rotate.Zone)
            && rotate.PreviousEpochs.Concat(rotate.HistWraps.Select(wrap => wrap.Epoch)).All(epoch => EpochIn(Past(id), epoch, rotate.Zone))
            && rotate.ParentWraps.All(wrap => EpochIn(Past(id), wrap.ParentEpoch, ParentOf(rotate.Zone)))
            && rotate.Number == (rotate.PreviousEpochs.Count == 0 ? 0 : 1 + rotate.PreviousEpochs.Max(epoch => ((Rotate)_held[epoch].Body).Number)),
        Wrap wrap => ZoneIn(Past(id), wrap.Zone) && wrap.HistWraps.Select(hist => hist.Epoch).Append(wrap.Epoch).All(epoch => EpochIn(Past(id), epoch, wrap.Zone))
            && wrap.ParentWraps.All(parent => EpochIn(Past(id), parent.ParentEpoch, ParentOf(wrap.Zone))),
        AccountKey => IsAccount,
        _ => false,
    });

    private bool StructuralGrant(PolicyStatement s, Grant g) =>
        ZoneIn(Past(s.Id), g.Zone) && (g.Actor is not AnyoneActor || g.Permission == Permission.Sync) && (g.Parent is { } parent
            ? StructuralGrantIn(Past(s.Id), parent.Envelope) && Names(parent.Envelope, s.Author) && Of(parent.Envelope) is { HasSub: false } p && AtOrAbove(p.Zone, g.Zone)
                && (p.Permission == Permission.Own || (p.Permission == Permission.Control && g.Permission <= Permission.Write)) && Address(s.Id).Count <= 32
            : s.Author == document.Authority);

    private bool StructuralGrantIn(HashSet<EnvelopeId> past, EnvelopeId id) => past.Contains(id) && _held[id].Body is Genesis or Grant && Structural(id);

    private bool EpochIn(HashSet<EnvelopeId> past, EnvelopeId id, ZoneId zone) => past.Contains(id) && _held[id].Body is Rotate rotate && rotate.Zone == zone;

    private bool IsZone(ZoneId zone) => zone == ZoneId.Root || (_zones.TryGetValue(zone, out var made) && Structural(made.Id));

    private bool ZoneIn(HashSet<EnvelopeId> past, ZoneId zone) => zone == ZoneId.Root || (IsZone(zone) && past.Contains(_zones[zone].Id));

    private ZoneId ParentOf(ZoneId zone) => ((ZoneCreate)_zones[zone].Body).Parent;

    private bool AtOrAbove(ZoneId upper, ZoneId lower) => upper == lower || (lower != ZoneId.Root && IsZone(lower) && AtOrAbove(upper, ParentOf(lower)));

    private Terms Of(EnvelopeId grant) => _held[grant].Body switch
    {
        Grant g => new(g.Actor, g.Permission, g.Zone, g.Parent?.Envelope, g.Sub is not null),
        Genesis genesis => new(genesis.Actor, Permission.Own, ZoneId.Root, null, false),
        _ => throw new InvalidOperationException("not a grant"),
    };

    private bool Names(EnvelopeId grant, PeerId peer) => Of(grant).Actor switch
    {
        PeerActor actor => actor.Id == peer,
        AccountActor actor => actor.Device == peer,
        _ => true,
    };

    private List<(ulong Seq, EnvelopeId Id)> Address(EnvelopeId grant) =>
        [.. Of(grant).Parent is { } parent ? Address(parent) : [], (_held[grant].Seq, grant)];

    // §4.4
    private bool Dominates(EnvelopeId p, EnvelopeId g)
    {
        Terms upper = Of(p), lower = Of(g);
        if (Address(g).SkipLast(1).Any(step => step.Id == p)) return true;
        if (upper.Zone != lower.Zone) return AtOrAbove(upper.Zone, lower.Zone) && upper.Permission >= lower.Permission;
        return upper.Permission > lower.Permission || (IsAccount && upper.Permission == lower.Permission && Senior(Address(p), Address(g)));
    }

    private static bool Senior(List<(ulong Seq, EnvelopeId Id)> a, List<(ulong Seq, EnvelopeId Id)> b) =>
        a.Count != b.Count ? a.Count < b.Count : a.Zip(b).Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0) < 0;

    // §4.5
    public bool Valid(EnvelopeId grant) => Answer("valid", grant, s => Structural(grant) && (Of(grant).Parent is not { } parent
        ? s.Body is not Genesis || s == TheGenesis
        : Valid(parent) && EffectiveRevocations(parent).All(r => Past(r).Contains(grant)) && !EffectiveRenounces(parent).Any(Past(grant).Contains)));

    // §4.6
    public bool Effective(EnvelopeId r) => Answer("effective", r, s => Structural(r) && s.Body switch
    {
        Revoke { Proof: null } => true,
        Revoke { Proof: { } proof } => Valid(proof.Envelope) && EffectiveRevocations(proof.Envelope).All(q => Past(q).Contains(r))
            && !EffectiveRenounces(proof.Envelope).Any(Past(r).Contains),
        Renounce renounce => Valid(renounce.Target.Envelope) && EffectiveRevocations(renounce.Target.Envelope).All(q => Past(q).Contains(r)),
        _ => false,
    });

    public bool Holds(EnvelopeId grant) => Valid(grant) && !EffectiveRevocations(grant).Any() && !EffectiveRenounces(grant).Any();

    // §4.8, for one grant
    private bool Allows(EnvelopeId grant, Use e) =>
        Valid(grant) && Past(e.Auth).Contains(grant) && Names(grant, e.Author) && !EffectiveRenounces(grant).Any(Past(e.Auth).Contains)
        && EffectiveRevocations(grant).All(r => Within(((Revoke)_held[r].Body).Cuts.FirstOrDefault(cut => cut.Author == e.Author), e));

    private bool Within(Cut cut, Use e) =>
        e.Seq < cut.Seq ? (chain(e.Author, cut.Seq) ?? cut.Envelope) == cut.Envelope : e.Seq == cut.Seq && e.Id == cut.Envelope;

    private bool Covers(EnvelopeId grant, Permission needed, ZoneId zone) => Of(grant).Permission >= needed && AtOrAbove(Of(grant).Zone, zone);

    public bool Allowed(Use e, Permission needed, ZoneId zone) => Grants.Any(g => !Of(g).HasSub && Covers(g, needed, zone) && Allows(g, e));

    // §4.9: the grants whose hidden path is looked at
    public IEnumerable<GrantId> AllowedInside(Use e, ZoneId zone) =>
        Grants.Where(g => Of(g).HasSub && Covers(g, Permission.Write, zone) && Allows(g, e)).Select(g => g.Grant);

    // §4.10
    public bool May(PeerId peer, Permission needed, ZoneId zone) =>
        Grants.Any(g => (needed <= Permission.Read || !Of(g).HasSub) && Covers(g, needed, zone) && Names(g, peer) && Holds(g));

    // §4.9 and the last paragraph of §4, but for the limits
    public bool Counts(EnvelopeId id)
    {
        var s = _held[id];
        var use = new Use(s.Author, s.Seq, id, s.Auth);
        return Structural(id) && s.Body switch
        {
            Genesis or Grant => Valid(id),
            Revoke or Renounce => Effective(id),
            ZoneCreate create => Allows(create.Grant.Envelope, use),
            Rotate rotate => Allowed(use, Permission.Write, rotate.Zone),
            Wrap wrap => Allowed(use, Permission.Write, wrap.Zone),
            AccountKey => Allowed(use, Permission.Own, ZoneId.Root),
            _ => false,
        };
    }

    public bool Acceptable(PolicyStatement statement) =>
        new PolicyByTheText(document, [.. held, statement], chain) is var with && with.Counts(statement.Id)
        && (statement.Body is not ZoneCreate || with.Past(statement.Id).Count == held.Count);

    private bool Answer(string question, EnvelopeId id, Func<PolicyStatement, bool> think)
    {
        if (_answers.TryGetValue((question, id), out var answer)) return answer;
        return _answers[(question, id)] = think(_held[id]);
    }
}
