using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy.Independent;

/// <summary>
/// A random history of one document: statements with any past, whether their author may make them or not, and envelopes of every author. Most statements
/// name something that exists and that their author holds, so that a good part of them counts.
/// </summary>
public sealed class History
{
    private static readonly PeerId Authority = Peer(0);
    private static readonly PeerId[] Peers = [.. Enumerable.Range(0, 6).Select(Peer)];

    private readonly Dice _dice;
    private readonly bool _zoned;
    private readonly Dictionary<PeerId, List<EnvelopeId>> _ids = [];
    private readonly Dictionary<PeerId, int> _held = [];

    public History(Dice dice, bool zoned)
    {
        (_dice, _zoned) = (dice, zoned);
        Kind = dice.Pick([DocumentKind.Account, DocumentKind.App]);
        AddGenesis();
        for (var left = dice.Between(0, 2); left > 0; left--) Add(Authority, new Grant(AnyActor(), dice.Pick([Permission.Control, Permission.Own]), ZoneId.Root, null));
        for (var left = dice.Between(4, 28); left > 0; left--)
        {
            if (dice.Percent(3)) AddGenesis();
            else if (dice.Percent(25)) AddEnvelope();
            else Add(AnyAuthor(), null);
        }
    }

    public static DocId Document { get; } = new(Authority.Value);

    public DocumentKind Kind { get; }

    /// <summary>In an order in which they can be added.</summary>
    public List<PolicyStatement> Statements { get; } = [];

    public List<Use> Envelopes { get; } = [];

    public IEnumerable<ZoneId> Zones => Statements.Where(s => s.Body is ZoneCreate).Select(s => s.Id.Zone).Prepend(ZoneId.Root);

    public static IReadOnlyList<PeerId> Everybody => [.. Peers, Peer(99)];

    /// <summary>The envelope that is held of an author at a number.</summary>
    public EnvelopeId? Chain(PeerId author, ulong seq) =>
        seq >= 1 && seq <= (ulong)_held.GetValueOrDefault(author) ? IdOf(author, seq) : null;

    /// <summary>A statement that somebody could make now.</summary>
    public PolicyStatement Candidate()
    {
        var author = AnyAuthor();
        return new(IdOf(author, NextSeq(author)), Document, author, NextSeq(author), _dice.Percent(50) ? Heads() : AnyAuth(), AnyBody(author));
    }

    /// <summary>The statements in another order in which they can be added.</summary>
    public List<PolicyStatement> Shuffled()
    {
        var (left, order, known) = (Statements.ToList(), new List<PolicyStatement>(), new HashSet<EnvelopeId>());
        while (left.Count > 0)
        {
            var next = _dice.Pick([.. left.Where(s => s.Auth.All(known.Contains))]);
            left.Remove(next);
            order.Add(next);
            known.Add(next.Id);
        }

        return order;
    }

    /// <summary>A line for each statement, with short names.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Statements.Select(s => $"  {Short(s)}"));

    public static string Short(PolicyStatement s) => $"{Name(s.Id)} by {Name(s.Author)} seq {s.Seq} after {Names(s.Auth.Select(Name))}: " + s.Body switch
    {
        Genesis genesis => $"genesis {genesis.Kind} to {Name(genesis.Actor)}",
        Grant grant => $"grant {grant.Permission} in {Name(grant.Zone)} to {Name(grant.Actor)} under {Name(grant.Parent)}"
            + (grant.Sub is null ? "" : " sub") + (grant.FromNow ? " from now" : ""),
        Revoke revoke => $"revoke {Name(revoke.Target)} by {Name(revoke.Proof)} cuts {Names(revoke.Cuts.Select(cut => $"{Name(cut.Author)}:{cut.Seq}:{Name(cut.Envelope)}"))}",
        Renounce renounce => $"renounce {Name(renounce.Target)}",
        ZoneCreate create => $"zone {Name(s.Id.Zone)} in {Name(create.Parent)} by {Name(create.Grant)}",
        Rotate rotate => $"rotate {rotate.Number} of {Name(rotate.Zone)} after {Names(rotate.PreviousEpochs.Select(Name))}"
            + $" with {Names(rotate.HistWraps.Select(wrap => Name(wrap.Epoch)))} under {Names(rotate.ParentWraps.Select(wrap => Name(wrap.ParentEpoch)))}",
        Wrap wrap => $"wrap {Name(wrap.Epoch)} of {Name(wrap.Zone)} under {Names(wrap.ParentWraps.Select(parent => Name(parent.ParentEpoch)))}",
        _ => s.Body.GetType().Name,
    };

    private static string Names(IEnumerable<string> names) => $"[{string.Join(' ', names)}]";

    private static string Name<T>(T id) => id switch
    {
        null => "none",
        PeerActor actor => Name(actor.Id),
        AccountActor actor => $"account {Name(actor.Device)}",
        AnyoneActor => "anyone",
        _ => id.ToString()!.Split('_')[1][..4],
    };

    private void AddGenesis()
    {
        // Once in a while it is not one: of another author, with a past, or with another number.
        var author = _dice.Percent(5) ? AnyAuthor() : Authority;
        var auth = _dice.Percent(5) ? AnyAuth() : [];
        var first = Statements.Count == 0;
        var seq = first ? NextSeq(author) : _dice.Percent(90) ? 1UL : 2UL;
        var genesis = new Genesis(Document, _dice.Percent(80) ? Kind : _dice.Pick([DocumentKind.Account, DocumentKind.App]), new PeerActor(_dice.Pick(Peers)));
        Statements.Add(new(first ? IdOf(author, seq) : new(_dice.Bytes32()), Document, author, seq, auth, genesis));
        if (first) _held[author] = 1;
    }

    private void AddEnvelope()
    {
        var author = AnyAuthor();
        var seq = _dice.Percent(70) ? NextSeq(author) : (ulong)_dice.Between(1, (int)NextSeq(author) + 2);
        var onChain = _dice.Percent(80);
        Envelopes.Add(new(author, seq, onChain ? IdOf(author, seq) : new(_dice.Bytes32()), _dice.Percent(40) ? Heads() : AnyAuth()));
        if (onChain && seq == NextSeq(author)) _held[author] = (int)seq;
    }

    private void Add(PeerId author, Statement? body)
    {
        var auth = _dice.Percent(55) ? Heads() : AnyAuth();
        Statements.Add(new(IdOf(author, NextSeq(author)), Document, author, NextSeq(author), auth, body ?? AnyBody(author)));
        _held[author] = (int)NextSeq(author);
    }

    private Statement AnyBody(PeerId author) => _dice.Next(_zoned ? 100 : 85) switch
    {
        < 42 => AnyGrant(author),
        < 64 => new Revoke(AnyGrantId(), Own(author, Permission.Control), AnyCuts()),
        < 71 => new Renounce(_dice.Percent(90) ? Own(author, Permission.Sync) ?? AnyGrantId() : AnyGrantId()),
        < 78 => AnyRotate(),
        < 82 => AnyWrap(),
        < 85 => new AccountKey(1, default, 0),
        _ => new ZoneCreate(AnyZone(), Own(author, Permission.Control) ?? AnyGrantId(), _dice.Bytes32()),
    };

    private Grant AnyGrant(PeerId author)
    {
        var actor = AnyActor();
        var permission = actor is AnyoneActor && _dice.Percent(80) ? Permission.Sync : _dice.Percent(20) ? Permission.Write : (Permission)_dice.Next(5);
        var parent = author == Authority && _dice.Percent(70) ? null : Own(author, Permission.Control);
        return new(actor, permission, AnyZone(), parent)
        {
            Sub = permission == Permission.Write && _dice.Percent(55) ? new(_dice.Bytes32(), new(_dice.Bytes32()), new byte[64]) : null,
            FromNow = actor is AccountActor && permission >= Permission.Read && _dice.Percent(30),
        };
    }

    private Rotate AnyRotate()
    {
        var zone = AnyZone();
        var previous = AnyEpochs(zone);
        var number = previous.Count == 0 ? 0 : 1 + previous.Max(id => ((Rotate)Statement(id).Body).Number);
        return new(zone, _dice.Percent(90) ? number : number + 1, previous, default, default, [], [.. AnyEpochs(zone).Select(id => new HistWrap(id, new byte[HistWrap.SealedBytes]))])
        {
            ParentWraps = AnyParentWraps(zone),
            SealedPath = zone == ZoneId.Root ? null : new byte[64],
        };
    }

    private Wrap AnyWrap()
    {
        var zone = AnyZone();
        var epochs = Statements.Where(s => s.Body is Rotate).Select(s => s.Id).Append(new(_dice.Bytes32())).ToList();
        return new(zone, _dice.Pick(epochs), [], []) { ParentWraps = AnyParentWraps(zone) };
    }

    private ParentWrap[] AnyParentWraps(ZoneId zone)
    {
        if (zone == ZoneId.Root) return [];
        var parent = _dice.Percent(90) && Statements.Find(s => s.Body is ZoneCreate && s.Id.Zone == zone)?.Body is ZoneCreate create ? create.Parent : AnyZone();
        return [.. AnyEpochs(parent).Select(id => new ParentWrap(id, new byte[ParentWrap.SealedBytes], new byte[ParentWrap.SealedBytes]))];
    }

    // At most two epochs of the zone, and now and then one of another.
    private List<EnvelopeId> AnyEpochs(ZoneId zone)
    {
        var epochs = Statements.Where(s => s.Body is Rotate rotate && (rotate.Zone == zone || _dice.Percent(5))).Select(s => s.Id).ToList();
        return [.. _dice.Sample(epochs, Math.Min(epochs.Count, _dice.Next(3))).Order()];
    }

    private List<Cut> AnyCuts() =>
    [
        .. _dice.Sample(Peers, _dice.Next(4)).Order().Select(author =>
        {
            var seq = (ulong)_dice.Between(1, (int)NextSeq(author) + 1);
            return new Cut(author, seq, _dice.Percent(85) ? IdOf(author, seq) : new(_dice.Bytes32()));
        }),
    ];

    private ZoneId AnyZone() => !_zoned ? ZoneId.Root : _dice.Percent(3) ? new(_dice.Bytes(ZoneId.Size)) : _dice.Pick([.. Zones]);

    // Mostly a grant of the author with at least the permission; sometimes any, sometimes none.
    private GrantId? Own(PeerId author, Permission least)
    {
        var own = Grants.Where(g => g.Actor.Contains(author) && g.Permission >= least).Select(g => g.Id).ToList();
        if (own.Count > 0 && _dice.Percent(92)) return _dice.Pick(own).Grant;
        return _dice.Percent(70) ? AnyGrantId() : null;
    }

    private GrantId AnyGrantId() => _dice.Percent(2) ? new EnvelopeId(_dice.Bytes32()).Grant : _dice.Pick([.. Grants]).Id.Grant;

    private IEnumerable<(EnvelopeId Id, Actor Actor, Permission Permission)> Grants => Statements.SelectMany(s => s.Body switch
    {
        Grant grant => [(s.Id, grant.Actor, grant.Permission)],
        Genesis genesis => [(s.Id, genesis.Actor, Permission.Own)],
        _ => (IEnumerable<(EnvelopeId, Actor, Permission)>)[],
    });

    private Actor AnyActor() => _dice.Next(100) switch
    {
        < 75 => new PeerActor(_dice.Pick(Peers)),
        < 93 when _dice.Pick(Peers) is var device => new AccountActor(new(device.Value), device, default),
        _ => AnyoneActor.Instance,
    };

    // Mostly somebody who was named.
    private PeerId AnyAuthor()
    {
        var named = Grants.Select(g => g.Actor.Peer).OfType<PeerId>().ToList();
        return named.Count > 0 && _dice.Percent(85) ? _dice.Pick(named) : _dice.Pick(Peers);
    }

    private List<EnvelopeId> AnyAuth() => [.. _dice.Sample(Statements, Math.Min(Statements.Count, _dice.Next(4))).Select(s => s.Id).Order()];

    private List<EnvelopeId> Heads() => [.. Statements.Select(s => s.Id).Except(Statements.SelectMany(s => s.Auth)).Order()];

    private PolicyStatement Statement(EnvelopeId id) => Statements.Find(s => s.Id == id)!;

    private ulong NextSeq(PeerId author) => (ulong)_held.GetValueOrDefault(author) + 1;

    // An author's ids are those of one chain, also where it is not held yet: a cut may know more than this history.
    private EnvelopeId IdOf(PeerId author, ulong seq)
    {
        if (!_ids.TryGetValue(author, out var ids)) _ids[author] = ids = [];
        while ((ulong)ids.Count < seq) ids.Add(new(_dice.Bytes32()));
        return ids[(int)seq - 1];
    }

    private static PeerId Peer(int number) => new(new([(byte)(10 + number), .. new byte[31]]));
}
