using BenchmarkDotNet.Attributes;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace CloudPeer.Bench;

/// <summary>
/// What one more statement costs in a document that holds many, against judging them all: an owner, a hundred people whom it gave Control, and their
/// grants to others, of which every tenth was revoked.
/// </summary>
public class PolicyBenchmarks
{
    private readonly List<PolicyStatement> _statements = [];
    private PolicySet _unjudged = null!;
    private PolicySet _judged = null!;
    private PolicyStatement _grant = null!;
    private PolicyStatement _revocation = null!;
    private PolicyStatement _blindRevocation = null!;

    [Params(10_000, 65_530)]
    public int Statements { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        using var authority = SigningKey.Generate(SystemEntropy.Instance);
        var document = new DocId(authority.Public.Value);
        var owner = Next<PeerId>();
        var genesis = Append(document, document.Authority, new Genesis(document, DocumentKind.App, new PeerActor(owner)));
        var people = Enumerable.Range(0, 100).Select(_ => Next<PeerId>()).ToArray();
        var grants = people.Select(person => Append(document, owner, GrantTo(person, Permission.Control, genesis))).ToArray();
        for (var i = 0; _statements.Count < Statements; i++)
        {
            var by = i % people.Length;
            var given = Append(document, people[by], GrantTo(Next<PeerId>(), Permission.Write, grants[by]));
            if (i % 10 == 0) Append(document, owner, new Revoke(given.Grant, genesis.Grant, []));
        }

        _unjudged = new(document);
        foreach (var statement in _statements) _unjudged.Add(statement);
        _judged = _unjudged.Copy();
        _judged.Evaluate();
        var last = _statements[^1].Id;
        _grant = Make(document, people[0], GrantTo(Next<PeerId>(), Permission.Write, grants[0]), last);
        _revocation = Make(document, owner, new Revoke(grants[1].Grant, genesis.Grant, []), last);
        _blindRevocation = _revocation with { Auth = [grants[1]] };
    }

    [Benchmark(Baseline = true)]
    public PolicyView JudgeAll() => _unjudged.Copy().Evaluate();

    [Benchmark]
    public PolicyView OneMoreGrant() => OneMore(_grant);

    [Benchmark]
    public PolicyView OneMoreRevocation() => OneMore(_revocation);

    /// <summary>Its author had seen none of what the revoked person gave, so all of that ends: one grant in a hundred is judged again.</summary>
    [Benchmark]
    public PolicyView OneMoreBlindRevocation() => OneMore(_blindRevocation);

    private PolicyView OneMore(PolicyStatement statement)
    {
        var set = _judged.Copy();
        set.Add(statement);
        return set.Evaluate();
    }

    private EnvelopeId Append(DocId document, PeerId author, Statement body)
    {
        _statements.Add(Make(document, author, body, _statements.Count == 0 ? null : _statements[^1].Id));
        return _statements[^1].Id;
    }

    private PolicyStatement Make(DocId document, PeerId author, Statement body, EnvelopeId? seen) =>
        new(Next<EnvelopeId>(), document, author, (ulong)_statements.Count + 1, seen is { } id ? [id] : [], body);

    private static Grant GrantTo(PeerId peer, Permission permission, EnvelopeId parent) => new(new PeerActor(peer), permission, ZoneId.Root, parent.Grant);

    private static T Next<T>()
        where T : struct, IId<T>
    {
        Span<byte> bytes = stackalloc byte[32];
        SystemEntropy.Instance.Fill(bytes);
        return Id.From<T>(bytes);
    }
}
