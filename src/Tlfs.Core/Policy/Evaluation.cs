using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>What decides about everything that relies on one grant. Complete once the loop has visited the grant.</summary>
internal sealed class GrantState
{
    /// <summary>Effective revocations of the grant, without renounces.</summary>
    public List<Ending> Revocations { get; } = [];

    /// <summary>Effective renounces of the grant.</summary>
    public List<Ending> Renounces { get; } = [];

    /// <summary>What every effective revocation had seen; null if there is none.</summary>
    public StatementSet? Kept { get; set; }

    /// <summary>The effective renounces as a set; null if there is none.</summary>
    public StatementSet? Left { get; set; }
}

/// <summary>
/// One loop over the structural grants in ascending key order (docs/protocol/statements.md §4.5 to §4.7). A parent, and the proof of any
/// revocation of a grant, have lower keys than the grant; so all that a verdict needs is known when it is needed, and nothing is recursive.
/// </summary>
internal sealed class Evaluation
{
    private readonly GrantState?[] _states;
    private readonly Dictionary<GrantNode, List<Ending>> _byTarget = [];
    private readonly Dictionary<GrantNode, List<Ending>> _byProof = [];

    public Evaluation(IReadOnlyList<Entry> entries, Structure structure, EnvelopeId? genesis, bool seniority)
    {
        Verdicts = new Verdict[entries.Count];
        _states = new GrantState?[entries.Count];
        var grants = new List<GrantNode>();
        foreach (var entry in entries)
        {
            if (entry.Grant is { } grant) Enlist(grant, genesis, grants);
            else if (structure.EndingOf(entry, seniority) is { } ending) Enlist(ending);
        }

        grants.Sort(GrantNode.CompareKeys);
        Grants = grants;
        foreach (var grant in grants) Visit(grant);
    }

    /// <summary>By number of statement; <see cref="Verdict.Unknown"/> for statements that are neither grants nor endings.</summary>
    public Verdict[] Verdicts { get; }

    /// <summary>The structural grants in ascending key order.</summary>
    public IReadOnlyList<GrantNode> Grants { get; }

    /// <summary>What decides about those that rely on a structural grant.</summary>
    public GrantState StateOf(GrantNode grant) => _states[grant.Number]!;

    /// <summary>
    /// The rule that §4.5 and §4.6 share: a statement that relies on a grant counts if the grant counts, every effective revocation of the
    /// grant had seen the statement, and the statement had seen no effective renounce of the grant. A renounce ignores renounces.
    /// </summary>
    public Verdict Rely(GrantNode? basis, int number, StatementSet past, bool isRenounce = false)
    {
        if (basis is null) return Verdict.Counts;
        if (Verdicts[basis.Number] != Verdict.Counts) return Verdict.GrantDoesNotCount;
        var state = StateOf(basis);
        if (state.Kept is { } kept && !kept.Contains(number)) return Verdict.Revoked;
        return !isRenounce && state.Left is { } left && past.Intersects(left) ? Verdict.Renounced : Verdict.Counts;
    }

    private void Enlist(GrantNode grant, EnvelopeId? genesis, List<GrantNode> grants)
    {
        Verdicts[grant.Number] = grant.Structure;
        if (grant.Structure != Verdict.Counts) return;
        if (grant.Statement.Body is Genesis && grant.Statement.Id != genesis) Verdicts[grant.Number] = Verdict.BadGenesis;
        _states[grant.Number] = new();
        grants.Add(grant);
    }

    private void Enlist(Ending ending)
    {
        Verdicts[ending.Entry.Number] = ending.Structure;
        if (ending.Structure != Verdict.Counts) return;
        Add(_byTarget, ending.Target!, ending);
        if (ending.Proof is { } proof) Add(_byProof, proof, ending);
    }

    private static void Add(Dictionary<GrantNode, List<Ending>> endings, GrantNode grant, Ending ending)
    {
        if (!endings.TryGetValue(grant, out var list)) endings.Add(grant, list = []);
        list.Add(ending);
    }

    private void Visit(GrantNode grant)
    {
        if (Verdicts[grant.Number] == Verdict.Counts) Verdicts[grant.Number] = Rely(grant.Parent, grant.Number, grant.Past);
        var state = StateOf(grant);
        List<Ending> endings = [.. (_byTarget.GetValueOrDefault(grant) ?? []).OrderBy(ending => ending.Entry.Statement.Id)];
        state.Revocations.AddRange(endings.Where(ending => !ending.IsRenounce && Verdicts[ending.Entry.Number] == Verdict.Counts));
        state.Kept = state.Revocations.Select(ending => ending.Entry.Past).Aggregate((StatementSet?)null, (kept, past) => kept?.Intersect(past) ?? past);

        foreach (var renounce in endings.Where(ending => ending.IsRenounce)) Settle(renounce);
        state.Renounces.AddRange(endings.Where(ending => ending.IsRenounce && Verdicts[ending.Entry.Number] == Verdict.Counts));
        if (state.Renounces.Count > 0) state.Left = StatementSet.Of([.. state.Renounces.Select(ending => ending.Entry.Number)]);

        foreach (var revocation in _byProof.GetValueOrDefault(grant) ?? [])
        {
            if (!revocation.IsRenounce) Settle(revocation);
        }
    }

    private void Settle(Ending ending) =>
        Verdicts[ending.Entry.Number] = Rely(ending.Proof, ending.Entry.Number, ending.Entry.Past, ending.IsRenounce);

}
