using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>The statements in a document's log and what they mean. Never changes; <see cref="With"/> returns the next one.</summary>
internal sealed class DocumentPolicy
{
    private readonly PolicySet _set;
    private readonly long _bytes;

    private DocumentPolicy(PolicySet set, long bytes)
    {
        _set = set;
        _bytes = bytes;
        View = set.Evaluate();
    }

    public PolicyView View { get; }

    public int Count => _set.Count;

    /// <summary>What it costs to keep, in ids.</summary>
    public int Weight => Count + (int)(_bytes / RecentEntries.BytesPerItem);

    /// <summary>How many steps it was to evaluate the statements that came last.</summary>
    public int Steps => View.Steps;

    /// <summary>The most steps that one more statement may take: what is concurrent may turn the answers of all.</summary>
    public long MostSteps => 3L * (Count + 1);

    public static DocumentPolicy Empty(DocId document) => new(new(document), 0);

    public bool Contains(EnvelopeId id) => _set.Contains(id);

    /// <summary>Envelope.md §3.3: the closure of <paramref name="auth"/> holds all that the author's previous envelope covered, and that envelope.</summary>
    public bool Covers(IReadOnlyList<EnvelopeId> auth, AuthorTip previous) =>
        _set.Covers(auth, previous.Auth) && (!previous.IsPolicy || _set.Covers(auth, previous.Id));

    /// <summary>These statements and more, whose auths are held when their turn comes.</summary>
    public DocumentPolicy With(params IReadOnlyList<PolicyStatement> statements) => Add(statements, statements.Sum(statement => (long)statement.Body.Encode().Length));

    /// <summary>These statements and those that follow in the log.</summary>
    public DocumentPolicy WithStored(IReadOnlyList<LogEntry> entries) => Add([.. entries.Select(StatementOf)], entries.Sum(entry => (long)entry.Bytes.Length));

    /// <summary>
    /// True if a grant that holds now names the server itself, for the whole document (sync.md §1.3); one for anyone does not make it a host.
    /// </summary>
    public bool Hosts(PeerId server) => View.Standing(server, Permission.Sync) is not null;

    /// <summary>The statement of a policy envelope as the evaluation takes it.</summary>
    public static PolicyStatement StatementOf(Envelope envelope, Statement body) =>
        new(envelope.Id, envelope.Header.Document, envelope.Header.Author, envelope.Header.Seq, envelope.Header.Auth, body);

    // All signatures were verified when the log took it, those of cards and of forks as well, so it is only read.
    private static PolicyStatement StatementOf(LogEntry entry)
    {
        if (Envelope.TryDecode(entry.Bytes, out var envelope, out var error)
            && Statement.TryDecode(envelope.Body, AccountCard.ReadVerified, ForkProof.ReadVerified, out var body, out error)) return StatementOf(envelope, body);
        throw new InvalidOperationException($"The log holds a statement that cannot be read: {error.Detail}.");
    }

    private DocumentPolicy Add(IReadOnlyList<PolicyStatement> statements, long bytes)
    {
        var set = _set.Copy();
        foreach (var statement in statements) set.Add(statement);
        return new(set, _bytes + bytes);
    }
}
