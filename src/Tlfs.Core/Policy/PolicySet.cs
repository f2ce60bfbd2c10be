using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// The policy statements of one document that a replica or server holds, whether they count or not. What they mean is
/// <see cref="Evaluate"/>, a pure function of the set: the order in which statements were added does not matter, except that a
/// statement can only be added after all that its auth names (docs/protocol/envelope.md §3 step 6). Not thread-safe; its views are.
/// </summary>
public sealed class PolicySet
{
    private readonly DocId _document;
    private readonly Structure _structure;
    private ZoneTree _zones = ZoneTree.RootOnly;
    private Forks _forks = Forks.None;
    private ImmutableList<Entry> _entries = [];
    private ImmutableDictionary<EnvelopeId, Entry> _byId = ImmutableDictionary<EnvelopeId, Entry>.Empty;
    private ImmutableSortedSet<EnvelopeId> _heads = [];
    private ImmutableHashSet<PeerId> _named = [];
    private GrantNode? _genesis;
    private Evaluation _evaluation = Evaluation.Begin(null);
    private int _evaluated;
    private PolicyView? _view;

    /// <summary>An empty set.</summary>
    /// <param name="document">The document whose statements these are.</param>
    public PolicySet(DocId document)
    {
        _document = document;
        _structure = new(document, () => _zones, () => _forks, Find);
    }

    /// <summary>A set of the same statements, so that what may turn out to be refused is tried on a copy. Takes constant time.</summary>
    public PolicySet Copy() => new(_document)
    {
        _zones = _zones,
        _forks = _forks,
        _entries = _entries,
        _byId = _byId,
        _heads = _heads,
        _named = _named,
        _genesis = _genesis,
        _evaluation = _evaluation,
        _evaluated = _evaluated,
        _view = _view,
    };

    /// <summary>How many statements the set holds.</summary>
    public int Count => _entries.Count;

    /// <summary>The statements that no other has in its past, ascending. May be more than an envelope can name: see <see cref="AuthFor"/>.</summary>
    public IReadOnlyList<EnvelopeId> Heads => _heads;

    /// <summary>Adds a statement; false if the set holds it already.</summary>
    /// <exception cref="ArgumentException">It belongs to another document, or its auth is not held: a bug of the caller.</exception>
    public bool Add(PolicyStatement statement)
    {
        if (statement.Document != _document) throw new ArgumentException("statement of another document", nameof(statement));
        if (!statement.Auth.All(Contains)) throw new ArgumentException("statement whose auth is not held", nameof(statement));
        if (Contains(statement.Id)) return false;

        var isNewlyFrozen = Take(statement);
        Insert(statement, PastOf(statement.Auth, Find));
        if (isNewlyFrozen) BeginAnew();
        _view = null;
        return true;
    }

    /// <summary>True if the set holds the statement.</summary>
    public bool Contains(EnvelopeId id) => _byId.ContainsKey(id);

    /// <summary>True if a structural grant of the set names the peer, valid or not, or the peer is the document's authority (envelope.md §3 step 3).</summary>
    public bool IsNamed(PeerId peer) => peer == _document.Authority || _named.Contains(peer);

    /// <summary>
    /// What the statements mean together. Computed once until a statement is added, and then only for those that the new ones affect.
    /// </summary>
    public PolicyView Evaluate() => _view ??= new(_document, _zones, _forks, _entries, _byId, Evaluated());

    /// <summary>True if the closure of <paramref name="auth"/> holds the statement.</summary>
    public bool Covers(IReadOnlyList<EnvelopeId> auth, EnvelopeId statement) =>
        Find(statement) is { } entry && auth.Any(head => head == statement || (Find(head)?.Past.Contains(entry.Number) ?? false));

    /// <summary>True if the closure of <paramref name="auth"/> holds all that <paramref name="otherAuth"/> names (envelope.md §3.3).</summary>
    public bool Covers(IReadOnlyList<EnvelopeId> auth, IReadOnlyList<EnvelopeId> otherAuth) => otherAuth.All(head => Covers(auth, head));

    /// <summary>
    /// What a new envelope names as its auth, ascending: the fewest heads that cover <paramref name="required"/> (the auth of the author's
    /// previous envelope, that envelope if it is a statement, and the grant that the author relies on), then other heads up to the limit.
    /// </summary>
    public IReadOnlyList<EnvelopeId> AuthFor(IReadOnlyList<EnvelopeId> required)
    {
        var heads = Heads;
        var auth = new SortedSet<EnvelopeId>();
        foreach (var statement in required)
        {
            if (!Covers([.. auth], statement)) auth.Add(heads.First(head => Covers([head], statement)));
        }

        foreach (var head in heads)
        {
            if (auth.Count < Limits.Auth) auth.Add(head);
        }

        return [.. auth];
    }

    internal static StatementSet PastOf(IReadOnlyList<EnvelopeId> auth, Func<EnvelopeId, Entry?> find)
    {
        var heads = auth.Select(find).OfType<Entry>().ToList();
        return heads.Select(head => head.Past).Aggregate(StatementSet.Of([.. heads.Select(head => head.Number)]), (past, next) => next.Union(past));
    }

    private void Insert(PolicyStatement statement, StatementSet past)
    {
        var entry = new Entry(_entries.Count, statement, past)
        {
            Grant = _structure.GrantOf(_entries.Count, statement, past),
            Creation = _structure.CreationOf(statement, past),
        };
        _entries = _entries.Add(entry);
        _byId = _byId.Add(statement.Id, entry);
        _heads = _heads.Except(statement.Auth).Add(statement.Id);
        if (entry.Grant is { Structure: Verdict.Counts, Actor.Peer: { } peer }) _named = _named.Add(peer);
        if (entry.Creation == Verdict.Counts) _zones = _zones.With(statement.Id, ((ZoneCreate)statement.Body).Parent);
        if (statement.Body is Genesis) ConsiderGenesis(entry.Grant!);
    }

    // Two geneses are settled by their ids (docs/protocol/statements.md §4.1), not by a freeze.
    private bool Take(PolicyStatement statement)
    {
        if (statement.Body is not Equivocation { Fork: var fork } || !PolicyView.IsProof(_document, fork)) return false;
        var before = _forks.FrozenFrom(fork.Author);
        _forks = _forks.With(fork, _entries.Count);
        return before is null || fork.Seq < before;
    }

    // What was structural is not any more, and what rests on it: rare, so no attempt is made to find out what that is.
    private void BeginAnew()
    {
        var entries = _entries;
        (_zones, _entries, _byId, _heads) = (ZoneTree.RootOnly, [], ImmutableDictionary<EnvelopeId, Entry>.Empty, []);
        (_genesis, _evaluation, _evaluated) = (null, Evaluation.Begin(null), 0);
        foreach (var entry in entries) Insert(entry.Statement, entry.Past);
    }

    private Evaluation Evaluated()
    {
        if (_evaluation.Genesis != _genesis) (_evaluation, _evaluated) = (Evaluation.Begin(_genesis), 0);
        _evaluation = _evaluation.With(_entries.GetRange(_evaluated, _entries.Count - _evaluated), _structure);
        _evaluated = _entries.Count;
        return _evaluation;
    }

    private Entry? Find(EnvelopeId id) => _byId.GetValueOrDefault(id);

    // The document's authority signs one genesis. Should it sign several, the smallest id counts, so that all replicas agree.
    private void ConsiderGenesis(GrantNode genesis)
    {
        if (genesis.Structure == Verdict.Counts && (_genesis is null || genesis.Statement.Id.CompareTo(_genesis.Statement.Id) < 0)) _genesis = genesis;
    }
}
