using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Wrong evaluations that the properties must catch.</summary>
public enum Mutant
{
    None,
    /// <summary>Revocations never void what a revoked holder does.</summary>
    CausalityIgnored,
    /// <summary>A renounce voids what it had not seen, as a revocation does.</summary>
    LeavingIsRetroactive,
    /// <summary>In account documents, equal owners may revoke each other whatever their seniority.</summary>
    EqualsRevokeEachOther,
}

/// <summary>The evaluation found that a verdict depends on itself.</summary>
public sealed class CycleException : Exception;

/// <summary>
/// statements.md §4 once more, as a recursion over its definitions instead of a loop, on sets instead of bitmaps. Knows nothing of
/// the product's evaluation.
/// </summary>
public sealed class Reference
{
    private readonly World _world;
    private readonly Mutant _mutant;
    private readonly bool[] _structural;
    private readonly bool?[] _verdicts;
    private readonly bool[] _visiting;
    private readonly ILookup<int, Node> _ends;

    public Reference(World world, Mutant mutant = Mutant.None)
    {
        _world = world;
        _mutant = mutant;
        _structural = new bool[world.Nodes.Count];
        foreach (var node in world.Nodes) _structural[node.Number] = IsStructural(node);
        _verdicts = new bool?[world.Nodes.Count];
        _visiting = new bool[world.Nodes.Count];
        _ends = world.Nodes.Where(node => node.IsEnd && _structural[node.Number]).ToLookup(node => node.Target!.Value);
    }

    /// <summary>valid(grant) or effective(revocation).</summary>
    public bool Counts(Node node)
    {
        if (_verdicts[node.Number] is { } known) return known;
        if (_visiting[node.Number]) throw new CycleException();
        _visiting[node.Number] = true;
        var counts = _structural[node.Number];
        if (counts && node.Proof is { } proof)
            counts = Counts(Get(proof)) && !_ends[proof].Any(end => !(node.IsRenounce && end.IsRenounce) && Voids(end, node) && Counts(end));
        _verdicts[node.Number] = counts;
        return counts;
    }

    public bool Holds(Node grant) => Counts(grant) && !_ends[grant.Number].Any(Counts);

    /// <summary>True if a grant and all that it rests on are structural.</summary>
    public bool IsWellFounded(Node grant) =>
        _structural[grant.Number] && (grant.Proof is not { } parent || IsWellFounded(Get(parent)));

    /// <summary>True if the zone is zone 0 or made by a statement that is structural.</summary>
    public bool IsZone(int? zone) => zone is not { } number || _structural[number];

    /// <summary>§4.8.</summary>
    public bool Allowed(Delta delta, Permission needed, int? zone) =>
        IsZone(zone) && Usable(delta).Any(grant => !grant.HasSub && grant.Permission >= needed && _world.IsAtOrAbove(grant.Zone, zone));

    /// <summary>§4.9: the grants on one path.</summary>
    public IEnumerable<Node> PathGrants(Delta delta, int? zone) =>
        Usable(delta).Where(grant => IsZone(zone) && grant.HasSub && _world.IsAtOrAbove(grant.Zone, zone));

    /// <summary>§4.10.</summary>
    public bool May(char peer, Permission permission, int? zone) => _world.Grants.Any(grant =>
        grant.Actor == peer && _world.IsAtOrAbove(grant.Zone, zone) && Holds(grant)
        && (grant.HasSub ? permission <= Permission.Read : grant.Permission >= permission));

    /// <summary>The grants that let each actor read a zone.</summary>
    public IEnumerable<IGrouping<(char Actor, bool IsAccount), Node>> Readers(int? zone) => _world.Grants
        .Where(grant => grant.Permission >= Permission.Read && _world.IsAtOrAbove(grant.Zone, zone) && Holds(grant))
        .GroupBy(grant => (grant.Actor, grant.IsAccount));

    private IEnumerable<Node> Usable(Delta delta)
    {
        var past = delta.Auth.SelectMany(head => Get(head).Past).Concat(delta.Auth).ToHashSet();
        return _world.Grants.Where(grant =>
            grant.Actor == delta.Author && past.Contains(grant.Number) && Counts(grant)
            && _ends[grant.Number].Where(Counts).All(end =>
                end.IsRenounce ? !past.Contains(end.Number) : WithinCut(end, delta.Author, (ulong)delta.Seq, delta.Id, delta.Chain)));
    }

    private static bool WithinCut(Node end, char author, ulong seq, EnvelopeId id, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var cuts = end.Cuts.Where(cut => cut.Author == World.PeerOf(author)).ToList();
        if (cuts.Count == 0 || seq > cuts[0].Seq) return false;
        if (seq == cuts[0].Seq) return id == cuts[0].Envelope;
        return chain(cuts[0].Author, cuts[0].Seq) is not { } held || held == cuts[0].Envelope;
    }

    private bool Voids(Node end, Node node) => _mutant switch
    {
        Mutant.CausalityIgnored => false,
        Mutant.LeavingIsRetroactive => !end.Past.Contains(node.Number),
        _ => end.IsRenounce ? node.Past.Contains(end.Number) : !end.Past.Contains(node.Number),
    };

    private Node Get(int number) => _world.Nodes[number];

    private bool IsStructural(Node node)
    {
        if (!node.IsEnd && node.Zone is { } zone && !(_structural[zone] && node.Past.Contains(zone))) return false;
        if (node.Proof is null) return node.Issuer == World.Authority && (node.IsGrant || IsSeen(node, node.Target!.Value));
        var proof = Get(node.Proof.Value);
        if (!IsSeen(node, proof.Number) || proof.Actor != node.Issuer) return false;
        if (node.IsZone) return IsWellFounded(proof) && proof.Permission >= Permission.Control && _world.IsAtOrAbove(proof.Zone, node.Zone);
        if (node.IsGrant)
        {
            return _world.IsAtOrAbove(proof.Zone, node.Zone)
                && (proof.Permission == Permission.Own || (proof.Permission == Permission.Control && node.Permission <= Permission.Write));
        }

        return IsSeen(node, node.Target!.Value) && (node.IsRenounce || Dominates(proof, Get(node.Target.Value)));
    }

    private bool IsSeen(Node by, int grant) => by.Past.Contains(grant) && Get(grant).IsGrant;

    /// <summary>True if the holder of one grant may end another.</summary>
    public bool Dominates(Node superior, Node grant)
    {
        if (superior.Permission < Permission.Control || superior.Number == grant.Number) return false;
        if (Chain(grant).Contains(superior)) return true;
        if (!_world.IsAtOrAbove(superior.Zone, grant.Zone)) return false;
        if (superior.Zone != grant.Zone) return superior.Permission >= grant.Permission;
        if (superior.Permission != grant.Permission) return superior.Permission > grant.Permission;
        return _world.Seniority && (_mutant == Mutant.EqualsRevokeEachOther || IsSenior(Address(superior), Address(grant)));
    }

    /// <summary>The grants that a grant rests on, itself last.</summary>
    public List<Node> Chain(Node grant)
    {
        var chain = new List<Node> { grant };
        while (chain[0].Proof is { } parent) chain.Insert(0, Get(parent));
        return chain;
    }

    private List<(ulong Seq, EnvelopeId Id)> Address(Node grant) => [.. Chain(grant).Select(step => (step.Seq, step.Id))];

    private static bool IsSenior(List<(ulong Seq, EnvelopeId Id)> left, List<(ulong Seq, EnvelopeId Id)> right)
    {
        if (left.Count != right.Count) return left.Count < right.Count;
        return left.Zip(right).Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0) < 0;
    }
}
