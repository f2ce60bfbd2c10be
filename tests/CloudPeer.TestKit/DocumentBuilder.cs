using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.TestKit;

/// <summary>
/// Makes the envelopes of one document as its authors would: chains, deps and auth are right, signatures are real. What a part holds is
/// noise, since a server cannot look inside. Envelopes made by <c>Next…</c> belong to the document; what <see cref="Draft"/> makes does not.
/// </summary>
/// <example><code>
/// using var alice = SigningKey.Generate(entropy);
/// var document = new DocumentBuilder(entropy, alice);
/// var first = document.Genesis;
/// var grant = document.NextGrant(alice, server.Public, Permission.Sync);
/// var delta = document.NextDelta(alice);
/// </code></example>
public sealed class DocumentBuilder
{
    private readonly IEntropy _entropy;
    private readonly SecretKey _contentKey;
    private readonly PolicySet _statements;
    private readonly Dictionary<PeerId, List<Envelope>> _chains = [];
    private readonly Dictionary<PeerId, GrantId> _grants = [];

    /// <summary>Begins a document that the owner's device, or the account with this card, owns.</summary>
    /// <param name="entropy">Makes the authority's key and all noise.</param>
    /// <param name="owner">The owner's device.</param>
    /// <param name="actor">Whom the genesis names; the device itself if null.</param>
    public DocumentBuilder(IEntropy entropy, SigningKey owner, Actor? actor = null)
    {
        _entropy = entropy;
        _contentKey = SecretKey.Random(entropy);
        Authority = SigningKey.Generate(entropy);
        Id = new(Authority.Public.Value);
        _statements = new(Id);
        Genesis = Next(Authority, new Genesis(Id, DocumentKind.App, actor ?? new PeerActor(owner.Public)));
        _grants[owner.Public] = Genesis.Id.Grant;
    }

    /// <summary>The document.</summary>
    public DocId Id { get; }

    /// <summary>The key that signed the genesis.</summary>
    public SigningKey Authority { get; }

    /// <summary>The first envelope.</summary>
    public Envelope Genesis { get; }

    /// <summary>All envelopes so far, in the order in which they were made.</summary>
    public IReadOnlyList<Envelope> Envelopes => _envelopes;

    private readonly List<Envelope> _envelopes = [];

    /// <summary>The grant that names a peer, the newest if there are several.</summary>
    public GrantId GrantOf(PeerId peer) => _grants[peer];

    /// <summary>The author's chain so far.</summary>
    public IReadOnlyList<Envelope> Chain(PeerId author) => _chains.GetValueOrDefault(author) ?? [];

    /// <summary>The author grants a permission, on the strength of its own newest grant.</summary>
    public Envelope NextGrant(SigningKey author, PeerId peer, Permission permission) => NextGrant(author, new PeerActor(peer), permission);

    /// <summary>The author grants a permission to any actor.</summary>
    public Envelope NextGrant(SigningKey author, Actor actor, Permission permission) => NextGrant(author, actor, permission, ZoneId.Root);

    /// <summary>The author grants a permission in a zone.</summary>
    public Envelope NextGrant(SigningKey author, PeerId peer, Permission permission, ZoneId zone) =>
        NextGrant(author, new PeerActor(peer), permission, zone);

    /// <summary>The author grants Write on a path in a zone, which nobody can read.</summary>
    public Envelope NextPathGrant(SigningKey author, PeerId peer, ZoneId zone) =>
        NextGrant(author, new PeerActor(peer), Permission.Write, zone, new(default, Genesis.Id, _entropy.Bytes(64)));

    private Envelope NextGrant(SigningKey author, Actor actor, Permission permission, ZoneId zone, SubPath? sub = null)
    {
        var envelope = Next(author, new Grant(actor, permission, zone, GrantOf(author.Public)) { Sub = sub });
        if (actor.Peer is { } peer) _grants[peer] = envelope.Id.Grant;
        return envelope;
    }

    /// <summary>The author revokes a peer's newest grant; the peer's work up to number <paramref name="cut"/> still counts (all so far if null).</summary>
    public Envelope NextRevoke(SigningKey author, PeerId peer, int? cut = null)
    {
        var chain = Chain(peer);
        var kept = cut ?? chain.Count;
        IReadOnlyList<Cut> cuts = kept == 0 ? [] : [new(peer, (ulong)kept, chain[kept - 1].Id)];
        return Next(author, new Revoke(GrantOf(peer), GrantOf(author.Public), cuts));
    }

    /// <summary>The author's next delta, with so many bytes of noise.</summary>
    public Envelope NextDelta(SigningKey author, int bytes = 64) => Add(Delta(author, Draft(author.Public), bytes));

    /// <summary>A snapshot of one envelope as the author's next, with so many bytes of noise.</summary>
    public Envelope NextSnapshot(SigningKey author, int bytes) => Add(Draft(author.Public).Seal(
        EnvelopeType.Snapshot, author, _entropy, [new PartDraft(ZoneId.Root, Genesis.Id, _contentKey, new(default, [Noise(bytes)]))], new SnapshotBody(0, 1, [ZoneId.Root]).Encode()));

    /// <summary>The author's next delta, with a changed draft.</summary>
    public Envelope NextDelta(SigningKey author, Func<Draft, Draft> change) => Add(Delta(author, change(Draft(author.Public))));

    /// <summary>The author makes a zone, on the strength of its newest grant; it is <see cref="EnvelopeId.Zone"/> of the envelope.</summary>
    public Envelope NextZone(SigningKey author, ZoneId parent = default) => Next(author, new ZoneCreate(parent, GrantOf(author.Public), default));

    /// <summary>The author's next delta, with a part of noise in each of these zones.</summary>
    public Envelope NextParts(SigningKey author, params IReadOnlyList<ZoneId> zones) => Add(Parts(author, EnvelopeType.Delta, [], zones));

    /// <summary>A delta or snapshot as the author's next envelope, not added, with a part of noise in each of these zones.</summary>
    public Envelope Parts(SigningKey author, EnvelopeType type, byte[] body, params IReadOnlyList<ZoneId> zones) => Draft(author.Public).Seal(
        type, author, _entropy, [.. zones.Order().Select(zone => new PartDraft(zone, Genesis.Id, _contentKey, new(default, [Noise(64)])))], body);

    /// <summary>The author's next statement.</summary>
    public Envelope Next(SigningKey author, Statement statement) => Add(Draft(author.Public).SignStatement(author, statement.Encode()));

    /// <summary>The envelope with a signature that does not verify.</summary>
    public static Envelope WithBadSignature(Envelope envelope)
    {
        var bytes = envelope.Bytes.ToArray();
        bytes[envelope.HeaderBytes.Length] ^= 1;
        return Envelope.TryDecode(bytes, out var changed, out var error) ? changed : throw new InvalidOperationException(error.Detail);
    }

    /// <summary>A delta at any place.</summary>
    public Envelope Delta(SigningKey author, Draft draft, int bytes = 64) =>
        draft.SealDelta(author, _entropy, Genesis.Id, _contentKey, new(default, [Noise(bytes)]));

    /// <summary>Where the author's next envelope stands if the author has seen everything so far.</summary>
    public Draft Draft(PeerId author)
    {
        var chain = Chain(author);
        var last = chain.Count > 0 ? chain[^1] : null;
        IReadOnlyList<EnvelopeId> covered = last is null ? [] : last.Header.Type == EnvelopeType.Policy ? [.. last.Header.Auth, last.Id] : last.Header.Auth;
        var deps = _chains.Where(other => other.Key != author).Select(other => other.Value[^1].Id).Order().Take(Limits.Deps).ToList();
        return new(Id, (ulong)chain.Count + 1, last?.Id ?? default, deps, _statements.AuthFor(covered), null);
    }

    private Envelope Add(Envelope envelope)
    {
        if (!_chains.TryGetValue(envelope.Header.Author, out var chain)) _chains.Add(envelope.Header.Author, chain = []);
        chain.Add(envelope);
        _envelopes.Add(envelope);
        if (envelope.Header.Type != EnvelopeType.Policy) return envelope;
        if (!Statement.TryDecode(envelope.Body, AccountCard.Verify, ForkProof.Verify, out var body, out var error)) throw new InvalidOperationException(error.Detail);
        _statements.Add(new(envelope.Id, Id, envelope.Header.Author, envelope.Header.Seq, envelope.Header.Auth, body));
        return envelope;
    }

    // A byte string in canonical CBOR, which is how operations travel.
    private byte[] Noise(int bytes) => Tlfs.Core.Encoding.Canonical.Encode(writer => writer.Bytes(_entropy.Bytes(bytes)));
}
