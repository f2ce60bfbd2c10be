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
        _structural = [.. world.Nodes.Select(IsStructural)];
        _verdicts = new bool?[world.Nodes.Count];
        _visiting = new bool[world.Nodes.Count];
        _ends = world.Nodes.Where(node => !node.IsGrant && _structural[node.Number]).ToLookup(node => node.Target!.Value);
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

    /// <summary>§4.8.</summary>
    public bool Allowed(char author, ulong seq, EnvelopeId id, IReadOnlyCollection<int> auth, Permission needed, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var past = auth.SelectMany(head => Get(head).Past).Concat(auth).ToHashSet();
        return _world.Grants.Any(grant =>
            grant.Actor == author && grant.Permission >= needed && past.Contains(grant.Number) && Counts(grant)
            && _ends[grant.Number].Where(Counts).All(end => end.IsRenounce ? !past.Contains(end.Number) : WithinCut(end, author, seq, id, chain)));
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
        if (node.Proof is null) return node.Issuer == World.Authority && (node.IsGrant || IsSeen(node, node.Target!.Value));
        var proof = Get(node.Proof.Value);
        if (!IsSeen(node, proof.Number) || proof.Actor != node.Issuer) return false;
        if (node.IsGrant)
        {
            return IsAtOrAbove(proof, node)
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
        if (!IsAtOrAbove(superior, grant)) return false;
        if (superior.Path.Length < grant.Path.Length) return superior.Permission >= grant.Permission;
        if (superior.Permission != grant.Permission) return superior.Permission > grant.Permission;
        return _world.Seniority && (_mutant == Mutant.EqualsRevokeEachOther || IsSenior(Address(superior), Address(grant)));
    }

    private static bool IsAtOrAbove(Node superior, Node grant) =>
        grant.Path.StartsWith(superior.Path, StringComparison.Ordinal);

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
