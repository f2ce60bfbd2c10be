using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Statements that a device shows with a push, because the log does not hold them yet (sync.md §1.2): they decide whether the document may be held here, and
/// nothing else. They are not stored; they come with the log.
/// </summary>
internal sealed class ShownStatements
{
    private readonly IReadOnlyList<PolicyStatement> _statements;
    private (DocumentPolicy Held, DocumentPolicy Both)? _last;

    private ShownStatements(IReadOnlyList<PolicyStatement> statements) => _statements = statements;

    /// <summary>Reads and verifies statements.</summary>
    /// <param name="document">The document.</param>
    /// <param name="statements">The envelopes, each after those that it names.</param>
    /// <param name="shown">What they say; null if they are refused.</param>
    /// <returns>Why they are refused; null if they are not.</returns>
    public static Refusal? TryRead(DocId document, IReadOnlyList<ReadOnlyMemory<byte>> statements, out ShownStatements? shown)
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

        shown = new([.. pending.Select(each => DocumentPolicy.StatementOf(each.Envelope, each.Statement!))]);
        return null;
    }

    /// <summary>What holds if those of them that rest on <paramref name="held"/> and on one another are added to it.</summary>
    public DocumentPolicy Over(DocumentPolicy held)
    {
        if (_last is { } last && (ReferenceEquals(last.Held, held) || last.Held.Count + held.Count == 0)) return last.Both;
        var added = new HashSet<EnvelopeId>();
        var fresh = new List<PolicyStatement>();
        foreach (var statement in _statements)
        {
            if (held.Contains(statement.Id) || held.Count + fresh.Count >= Limits.Statements || !statement.Auth.All(id => held.Contains(id) || added.Contains(id))) continue;
            if (added.Add(statement.Id)) fresh.Add(statement);
        }

        _last = (held, held.With(fresh));
        return _last.Value.Both;
    }

    private static Refusal Refused(Reason reason, string detail) => new(reason, $"The statements that were shown are refused: {detail}.");
}
