using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>A document in the making: every statement has seen all before it, unless its auth is given.</summary>
internal sealed class Scene
{
    private readonly Dictionary<PeerId, ulong> _seqs = [];
    private int _next;

    public Scene(DocumentKind kind = DocumentKind.App)
    {
        Set = new(Document);
        Genesis = Add(Authority, new Genesis(Document, kind, new PeerActor(Alice)), []).Grant;
    }

    public static PeerId Authority { get; } = Peer("authority");

    public static PeerId Alice { get; } = Peer("alice");

    public static PeerId Bob { get; } = Peer("bob");

    public static PeerId Carol { get; } = Peer("carol");

    public static PeerId Dave { get; } = Peer("dave");

    public static DocId Document { get; } = new(Authority.Value);

    public PolicySet Set { get; }

    /// <summary>Alice's Own.</summary>
    public GrantId Genesis { get; }

    public PolicyView View => Set.Evaluate();

    public static PeerId Peer(string name) => new(Named(name));

    public static EnvelopeId Envelope(string name) => new(Named(name));

    public static EnvelopeId? NoChain(PeerId author, ulong seq) => null;

    public GrantId Grant(PeerId by, GrantId? parent, PeerId to, Permission permission, IReadOnlyList<EnvelopeId>? auth = null) =>
        Add(by, new Grant(new PeerActor(to), permission, ZoneId.Root, parent), auth).Grant;

    public GrantId Grant(PeerId by, GrantId? parent, PeerId to, Permission permission, ZoneId zone) =>
        Add(by, new Grant(new PeerActor(to), permission, zone, parent)).Grant;

    public ZoneId Zone(PeerId by, GrantId grant, ZoneId parent) => Add(by, new ZoneCreate(parent, grant, default)).Zone;

    public EnvelopeId Revoke(PeerId by, GrantId? proof, GrantId target, IReadOnlyList<EnvelopeId>? auth = null, params Cut[] cuts) =>
        Add(by, new Revoke(target, proof, [.. cuts.OrderBy(cut => cut.Author)]), auth);

    public EnvelopeId Renounce(PeerId by, GrantId target, IReadOnlyList<EnvelopeId>? auth = null) => Add(by, new Renounce(target), auth);

    public EnvelopeId Add(PeerId by, Statement body, IReadOnlyList<EnvelopeId>? auth = null)
    {
        var statement = Make(by, body, auth);
        Set.Add(statement);
        _seqs[by] = statement.Seq;
        return statement.Id;
    }

    /// <summary>A statement that is not added.</summary>
    public PolicyStatement Make(PeerId by, Statement body, IReadOnlyList<EnvelopeId>? auth = null) =>
        new(Envelope($"{_next++} statement"), Document, by, _seqs.GetValueOrDefault(by) + 1, auth ?? Set.Heads, body);

    public Ruling Judge(PeerId by, Statement body, IReadOnlyList<EnvelopeId>? auth = null) => View.Judge(Make(by, body, auth), NoChain);

    // These take the view after their argument has been made, which may be by adding it.
    public bool IsEffective(EnvelopeId revocation) => View.IsEffective(revocation);

    public Verdict VerdictOf(GrantId grant) => View.Grant(grant)!.Ruling.Verdict;

    private static Bytes32 Named(string name)
    {
        var bytes = new byte[32];
        System.Text.Encoding.ASCII.GetBytes(name, bytes);
        return new(bytes);
    }
}
