using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Statements that a device shows with a push, because the log does not hold them yet (sync.md §1.2): they decide whether the document may be held here, and
/// nothing else. They are not stored; they come with the log. Verified and evaluated before the commit, so that nobody waits for it.
/// </summary>
internal sealed class ShownStatements
{
    private readonly DocumentState? _held;
    private readonly DocumentPolicy _both;

    private ShownStatements(DocumentState? held, DocumentPolicy both) => (_held, _both) = (held, both);

    /// <summary>Reads, verifies and evaluates statements.</summary>
    /// <param name="document">The document.</param>
    /// <param name="held">What is here of it; null if nothing is.</param>
    /// <param name="statements">The envelopes, each after those that it names.</param>
    /// <param name="meter">Counts what it takes to evaluate them.</param>
    /// <param name="shown">What they say; null if they are refused, or the device has no calls left for evaluating them.</param>
    /// <returns>Why they are refused; null if they are not.</returns>
    public static Refusal? TryRead(DocId document, CachedDocument? held, IReadOnlyList<ReadOnlyMemory<byte>> statements, StepMeter meter, out ShownStatements? shown)
    {
        shown = null;
        var pending = new PendingEnvelope[statements.Count];
        for (var i = 0; i < pending.Length; i++)
        {
            if (!Envelope.TryDecode(statements[i], out var envelope, out var error)) return Refused(error.Reason, error.Detail);
            if (envelope.Header.Document != document) return Refused(Reason.WrongDocument, "one belongs to another document");
            if (envelope.Header.Type != EnvelopeType.Policy) return Refused(Reason.Malformed, "one is no statement");
            pending[i] = new(envelope);
        }

        Parallel.ForEach(pending, each => each.Verify());
        foreach (var each in pending)
        {
            if (!each.IsSigned) return Refused(Reason.BadSignature, "the signature of one does not verify");
            if (each.Statement is null) return Refused(each.StatementError.Reason, each.StatementError.Detail);
        }

        var both = held?.Policy ?? DocumentPolicy.Empty(document);
        var proofs = 0;
        foreach (var each in pending)
        {
            if (each.Statement is Equivocation && ++proofs > Limits.ProofsPerAuthor) continue;
            var before = both;
            both = Add(both, DocumentPolicy.StatementOf(each.Envelope, each.Statement!));
            if (both != before && !meter.TryCount(both.Steps)) return null;
        }

        shown = new(held?.State, both);
        return null;
    }

    /// <summary>What holds with them; null if the log has other statements by now than those that they were added to.</summary>
    /// <param name="now">The document as it is now; null if it is not here.</param>
    public DocumentPolicy? With(DocumentState? now) => (now?.Generation, now?.Statements) == (_held?.Generation, _held?.Statements) ? _both : null;

    // What does not count is judged with the rest. What a log would not hold is left out, and what rests on it.
    private static DocumentPolicy Add(DocumentPolicy policy, PolicyStatement statement)
    {
        if (policy.Contains(statement.Id) || !statement.Auth.All(policy.Contains) || !policy.View.IsNamed(statement.Author)) return policy;
        return policy.View.Judge(statement, (_, _) => null).IsBeyondLimit ? policy : policy.With(statement);
    }

    private static Refusal Refused(Reason reason, string detail) => new(reason, $"The statements that were shown are refused: {detail}.");
}
