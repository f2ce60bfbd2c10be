using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Authors who signed two envelopes with one number (docs/protocol/statements.md §4.11). All branches are held, and only what lies on the chain may count.
public sealed partial class Document
{
    /// <summary>
    /// Two envelopes for each number at which an author left its own chain, the one on the chain first: what <see cref="ForkProof.Of"/> makes a proof of.
    /// </summary>
    public IReadOnlyList<(Envelope First, Envelope Second)> Equivocations =>
    [
        .. _chains.Forked.SelectMany(author => _chains.Beside(author)
            .Where(each => (_chains.At(author, each.Seq - 1) ?? default) == HeaderOf(each.Id).Prev)
            .DistinctBy(each => each.Seq)
            .Select(each => (_log.Find(_chains.At(author, each.Seq)!.Value)!.Envelope, _log.Find(each.Id)!.Envelope))),
    ];

    private static Outcome Forked => Outcome.Void(Reason.Equivocation, new Ruling(Verdict.Frozen).Why);

    private static Outcome OutcomeOf(Ruling ruling)
    {
        if (ruling.Counts) return Outcome.Applied;
        return Outcome.Void(ruling.Verdict == Verdict.Frozen ? Reason.Equivocation : Reason.NotAuthorised, ruling.Why);
    }

    private EnvelopeHeader HeaderOf(EnvelopeId id) => _log.Find(id)!.Header;

    private bool Continues(EnvelopeHeader header)
    {
        var length = _chains.Length(header.Author);
        return header.Seq == length + 1 && header.Prev == (_chains.At(header.Author, length) ?? default);
    }

    // This device was restored and goes on from what it has, until what it wrote since is withdrawn (docs/protocol/sync.md §5), or others have seen both.
    private bool IsOwnFork(EnvelopeHeader header) => header.Author == Own.Device.Public && !(Policy.Frozen(header.Author) <= header.Seq);

    private bool IsBeside(HeldEnvelope held) => _chains.At(held.Header.Author, held.Header.Seq) != held.Id;

    private void FollowSurvivors()
    {
        foreach (var author in _chains.Forked.ToArray())
            if (Policy.Survivor(author) is { } end) _chains.Lead(author, end.Seq, end.Envelope, HeaderOf);
    }
}
