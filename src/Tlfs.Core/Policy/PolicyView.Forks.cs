using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <content>Authors who signed two envelopes with one number, and which of their branches survives (docs/protocol/statements.md §4.11).</content>
public sealed partial class PolicyView
{
    /// <summary>The number from which on nothing of the author counts unless it is released; null if the author is not frozen.</summary>
    public ulong? Frozen(PeerId author) => _forks.FrozenFrom(author);

    /// <summary>True if some author is frozen.</summary>
    public bool HasForks => !_forks.IsEmpty;

    /// <summary>True if a statement proves that the author forks at that number.</summary>
    public bool IsProven(PeerId author, ulong seq) => _forks.Of(author).Any(fork => fork.Key == seq);

    /// <summary>
    /// The end of the branch that an owner named for a frozen author; null if none did. If several differ, the longest, then that of the
    /// revocation with the smallest id.
    /// </summary>
    public Cut? Survivor(PeerId author) => Survivors(author) is [.., var last] ? last : null;

    /// <summary>The ends of the branches that owners named for a frozen author, ascending; of several with one number only the one that decides.</summary>
    public IReadOnlyList<Cut> Survivors(PeerId author) => _forks.IsEmpty
        ? []
        :
        [
            .. _releases.Value[author].Where(release => _forks.Of(author).Any(fork => release.Covers(fork)))
                .GroupBy(release => release.Cut.Seq).OrderBy(same => same.Key).Select(same => same.MinBy(release => release.Revocation.Statement.Id)!.Cut),
        ];

    /// <summary>The authors who are frozen and of whom a branch was named.</summary>
    internal IEnumerable<PeerId> Released => _releases.Value.Select(author => author.Key);

    internal static bool IsProof(DocId document, Fork fork) => fork.Document == document && !(fork.Author == document.Authority && fork.Seq == 1);

    // Every fork at or before the envelope must be settled, and in favour of the envelope.
    private bool IsReleased(PeerId author, ulong seq, EnvelopeId id, List<Entry> heads, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (!(_forks.FrozenFrom(author) <= seq)) return true;
        bool IsFor(Release release)
        {
            var (_, end, envelope) = release.Cut;
            if (seq == end) return id == envelope;
            return chain(author, end) == envelope && (seq < end || Covers(heads, release.Revocation.Number));
        }

        return _forks.Of(author).TakeWhile(fork => fork.Key <= seq).All(fork => _releases.Value[author].Any(release => release.Covers(fork) && IsFor(release)));
    }

    private Ruling JudgeProof(Entry entry, Equivocation proof)
    {
        if (!IsProof(Document, proof.Fork)) return new(Verdict.NoFork);
        if (entry.Number >= 0) return new(Verdict.Counts);
        var stated = _entries.Where(other => other.Statement.Body is Equivocation && other.Statement.Author == entry.Statement.Author).ToList();
        return stated.Count >= Limits.ProofsPerAuthor || stated.Exists(other => ((Equivocation)other.Statement.Body).Fork == proof.Fork)
            ? new(Verdict.TooManyProofs)
            : new(Verdict.Counts);
    }

    private ILookup<PeerId, Release> FindReleases()
    {
        if (_forks.IsEmpty) return Enumerable.Empty<Release>().ToLookup(release => release.Cut.Author);
        var endings = _entries.Where(entry => entry.Statement.Body is Revoke).Select(entry => _structure.EndingOf(entry, _evaluation.HasSeniority)!);
        return endings.Where(ending => VerdictOf(ending) == Verdict.Counts && ending.Proof is null or { Permission: Permission.Own })
            .SelectMany(ending => ((Revoke)ending.Entry.Statement.Body).Cuts.Select(cut => new Release(ending.Entry, cut)))
            .Where(release => _forks.FrozenFrom(release.Cut.Author) is not null)
            .ToLookup(release => release.Cut.Author);
    }

    private sealed record Release(Entry Revocation, Cut Cut)
    {
        /// <summary>True if the revocation had seen a proof of the fork and says what lies above it.</summary>
        public bool Covers(KeyValuePair<ulong, System.Collections.Immutable.ImmutableList<int>> fork) =>
            Cut.Seq >= fork.Key && fork.Value.Exists(Revocation.Past.Contains);
    }
}
