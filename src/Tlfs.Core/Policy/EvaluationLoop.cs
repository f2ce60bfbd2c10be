using System.Collections.Immutable;

namespace Tlfs.Core.Policy;

/// <summary>
/// One loop over structural grants in ascending key order. A parent, and the proof of any revocation of a grant, have lower keys than the
/// grant (docs/protocol/statements.md §4.7); so all that a verdict needs is known when it is needed, each grant is judged at most once, and nothing is
/// recursive. It begins at what is new and goes on to those for whom a judged grant has another answer than before.
/// </summary>
internal sealed class EvaluationLoop(GrantNode? genesis, ImmutableDictionary<GrantNode, GrantState> before)
{
    private readonly Dictionary<GrantNode, GrantState> _changed = [];
    private readonly SortedSet<GrantNode> _waiting = new(GrantNode.ByKey);

    /// <summary>Takes new structural grants, and structural endings of these or of others.</summary>
    public void Enlist(IReadOnlyCollection<GrantNode> grants, IEnumerable<Ending> endings)
    {
        _changed.EnsureCapacity(grants.Count);
        foreach (var grant in grants) _changed.Add(grant, new());
        foreach (var siblings in grants.Where(grant => grant.Parent is not null).GroupBy(grant => grant.Parent!))
            _changed[siblings.Key] = StateOf(siblings.Key).WithChildren(siblings);
        _waiting.UnionWith(grants);
        foreach (var ending in endings) Enlist(ending);
    }

    /// <summary>How many grants were judged.</summary>
    public int Judged { get; private set; }

    /// <summary>Judged grants, the endings that were looked at for them, and what was asked whether it has another answer now.</summary>
    public int Steps { get; private set; }

    /// <summary>Judges until every answer stands.</summary>
    public void Run()
    {
        for (; _waiting.Min is { } next; Judged++)
        {
            _waiting.Remove(next);
            Judge(next);
        }
    }

    /// <summary>The states of all grants, of which those that did not change are shared.</summary>
    public ImmutableDictionary<GrantNode, GrantState> Result()
    {
        var all = before.ToBuilder();
        foreach (var (grant, state) in _changed) all[grant] = state;
        return all.ToImmutable();
    }

    private GrantState StateOf(GrantNode grant) => _changed.TryGetValue(grant, out var state) ? state : before[grant];

    private void Enlist(Ending ending)
    {
        var target = ending.Target!;
        _changed[target] = StateOf(target).WithEnding(ending);
        if (ending is { IsRenounce: false, Proof: { } proof }) _changed[proof] = StateOf(proof).WithProof(ending);
        _waiting.Add(target);
    }

    private void Judge(GrantNode grant)
    {
        var old = StateOf(grant);
        Steps += 1 + old.Endings.Count;
        var judged = old.Judged(VerdictOf(grant), old.Endings.Where(ending => !ending.IsRenounce && IsEffective(ending)));
        if (judged.AnswersLike(old)) return;
        _changed[grant] = judged;
        Steps += judged.Children.Count + judged.Proves.Count;
        foreach (var child in judged.Children)
        {
            if (old.Rely(child.Number, child.Past) != judged.Rely(child.Number, child.Past)) _waiting.Add(child);
        }

        foreach (var revocation in judged.Proves)
        {
            if (old.Rely(revocation) != judged.Rely(revocation)) _waiting.Add(revocation.Target!);
        }
    }

    private Verdict VerdictOf(GrantNode grant)
    {
        if (grant.Statement.Body is Genesis && grant != genesis) return Verdict.BadGenesis;
        return grant.Parent is { } parent ? StateOf(parent).Rely(grant.Number, grant.Past) : Verdict.Counts;
    }

    private bool IsEffective(Ending revocation) => revocation.Proof is not { } proof || StateOf(proof).Rely(revocation) == Verdict.Counts;
}
