using System.Collections.Immutable;

namespace Tlfs.Core.Policy;

/// <summary>One structural grant: what rests on it, and what that means for all who rely on it. Immutable.</summary>
internal sealed record GrantState
{
    /// <summary>Structural grants whose parent it is.</summary>
    public ImmutableList<GrantNode> Children { get; private init; } = [];

    /// <summary>Structural revocations of which it is the proof.</summary>
    public ImmutableList<Ending> Proves { get; private init; } = [];

    /// <summary>Structural revocations and renounces of the grant, effective or not.</summary>
    public ImmutableList<Ending> Endings { get; private init; } = [];

    /// <summary>Whether the grant is valid; <see cref="Verdict.Unknown"/> until it is judged.</summary>
    public Verdict Verdict { get; private init; }

    /// <summary>Effective revocations of the grant, without renounces, ascending by id.</summary>
    public IReadOnlyList<Ending> Revocations { get; private init; } = [];

    /// <summary>Effective renounces of the grant, ascending by id.</summary>
    public IReadOnlyList<Ending> Renounces { get; private init; } = [];

    /// <summary>True if the grant gives its actor the permission now (docs/protocol/statements.md §4.9).</summary>
    public bool Holds => Verdict == Verdict.Counts && Revocations.Count == 0 && Renounces.Count == 0;

    // What every effective revocation had seen, and the effective renounces as a set; null if there are none.
    private StatementSet? Kept { get; init; }

    private StatementSet? Left { get; init; }

    public GrantState WithChildren(IEnumerable<GrantNode> children) => this with { Children = Children.AddRange(children) };

    public GrantState WithProof(Ending revocation) => this with { Proves = Proves.Add(revocation) };

    public GrantState WithEnding(Ending ending) => this with { Endings = Endings.Add(ending) };

    /// <summary>
    /// The rule that §4.5 and §4.6 share: a statement that relies on a grant counts if the grant counts, every effective revocation of the
    /// grant had seen the statement, and the statement had seen no effective renounce of the grant. A renounce ignores renounces.
    /// </summary>
    public Verdict Rely(int number, StatementSet past, bool isRenounce = false)
    {
        if (Verdict != Verdict.Counts) return Verdict.GrantDoesNotCount;
        if (Kept is { } kept && !kept.Contains(number)) return Verdict.Revoked;
        return !isRenounce && Left is { } left && past.Intersects(left) ? Verdict.Renounced : Verdict.Counts;
    }

    /// <summary>The same for a revocation or renounce that relies on the grant.</summary>
    public Verdict Rely(Ending ending) => Rely(ending.Entry.Number, ending.Entry.Past, ending.IsRenounce);

    /// <summary>The grant with another verdict and other effective revocations, from which its effective renounces follow.</summary>
    public GrantState Judged(Verdict verdict, IEnumerable<Ending> revocations)
    {
        if (Endings.IsEmpty) return this with { Verdict = verdict };
        var effective = Sorted(revocations);
        var judged = this with
        {
            Verdict = verdict,
            Revocations = effective,
            Kept = effective.Select(ending => ending.Entry.Past).Aggregate((StatementSet?)null, (kept, past) => kept?.Intersect(past) ?? past),
        };
        var renounces = Sorted(Endings.Where(ending => ending.IsRenounce && judged.Rely(ending) == Verdict.Counts));
        return judged with { Renounces = renounces, Left = renounces.Length == 0 ? null : StatementSet.Of([.. renounces.Select(ending => ending.Entry.Number)]) };
    }

    /// <summary>True if all who rely on the grant get the answers that they get from another state of it.</summary>
    public bool AnswersLike(GrantState other) =>
        Verdict == other.Verdict && Revocations.SequenceEqual(other.Revocations) && Renounces.SequenceEqual(other.Renounces);

    private static Ending[] Sorted(IEnumerable<Ending> endings) => [.. endings.OrderBy(ending => ending.Entry.Statement.Id)];
}
