using System.Collections.Immutable;

namespace Tlfs.Core.Policy;

/// <summary>
/// What a set of statements means, grant by grant (docs/protocol/statements.md §4.5 to §4.7): a pure function of the set and its genesis. Immutable;
/// the next one shares all that new statements do not touch.
/// </summary>
internal sealed class Evaluation
{
    private readonly ImmutableDictionary<GrantNode, GrantState> _states;

    private Evaluation(GrantNode? genesis, GrantIndex index, ImmutableDictionary<GrantNode, GrantState> states, int judged, int steps)
    {
        Genesis = genesis;
        Index = index;
        _states = states;
        Judged = judged;
        Steps = steps;
    }

    /// <summary>The genesis that counts; null without one.</summary>
    public GrantNode? Genesis { get; }

    /// <summary>The structural grants.</summary>
    public GrantIndex Index { get; }

    /// <summary>How many grants were judged, again or for the first time, to make this from the evaluation before it.</summary>
    public int Judged { get; }

    /// <summary>What <see cref="PolicyView.Steps"/> says.</summary>
    public int Steps { get; }

    /// <summary>Owners of an account are ranked by seniority.</summary>
    public bool HasSeniority => Genesis?.Statement.Body is Genesis { Kind: DocumentKind.Account };

    /// <summary>No statements yet. The genesis decides about revocations too, so that another one means to begin anew.</summary>
    public static Evaluation Begin(GrantNode? genesis) => new(genesis, GrantIndex.Empty, ImmutableDictionary<GrantNode, GrantState>.Empty, 0, 0);

    /// <summary>These statements and more; all that they have in their past is among them.</summary>
    public Evaluation With(IReadOnlyCollection<Entry> entries, Structure structure)
    {
        var grants = entries.Select(entry => entry.Grant).OfType<GrantNode>().Where(grant => grant.Structure == Verdict.Counts).ToList();
        var endings = entries.Select(entry => structure.EndingOf(entry, HasSeniority)).OfType<Ending>().Where(ending => ending.Structure == Verdict.Counts);
        var loop = new EvaluationLoop(Genesis, _states);
        loop.Enlist(grants, endings);
        loop.Run();
        return new(Genesis, Index.With(grants), loop.Result(), loop.Judged, entries.Count + loop.Steps);
    }

    /// <summary>What decides about those that rely on a structural grant.</summary>
    public GrantState StateOf(GrantNode grant) => _states[grant];

    /// <summary>What a grant says of one that relies on it; the document's authority needs no grant.</summary>
    public Verdict Rely(GrantNode? basis, int number, StatementSet past, bool isRenounce = false) =>
        basis is null ? Verdict.Counts : StateOf(basis).Rely(number, past, isRenounce);
}
