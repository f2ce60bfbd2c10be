using System.Collections.Immutable;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>
/// A statement of the reference: a grant, the end of one, or a zone. Proof is the number of the grant it relies on, or null; Zone is the
/// number of the statement that made the grant's zone or that a zone lies in, or null for zone 0.
/// </summary>
public sealed record Node(int Number, EnvelopeId Id, ulong Seq, char Issuer, int? Proof, ImmutableHashSet<int> Auth, ImmutableHashSet<int> Past)
{
    public int? Target { get; init; }

    public bool IsZone { get; init; }

    public int? Zone { get; init; }

    public char Actor { get; init; }

    /// <summary>The actor is an account with one device, and not that device itself.</summary>
    public bool IsAccount { get; init; }

    public Permission Permission { get; init; }

    public bool HasSub { get; init; }

    public bool FromNow { get; init; }

    public IReadOnlyList<Cut> Cuts { get; init; } = [];

    public bool IsGrant => Target is null && !IsZone;

    public bool IsEnd => Target is not null;

    public bool IsRenounce => Target is not null && Target == Proof;
}

/// <summary>
/// Random policies with nested zones, as the evaluation oracle makes them: any author may name any of its grants and any past.
/// The document's authority is <c>D</c>; statement 0 is the genesis, whose actor never acts.
/// </summary>
public sealed class World
{
    public const char Authority = 'D';
    public static readonly IReadOnlyList<char> Peers = ['A', 'B', 'C', 'E', 'F', 'G'];

    private readonly Dice _dice;
    private readonly bool _seniority;

    public World(Dice dice, bool seniority)
    {
        _dice = dice;
        _seniority = seniority;
        Nodes.Add(NewNode(Authority, null, []) with { Actor = 'Z', Permission = Permission.Own });
    }

    public List<Node> Nodes { get; } = [];

    public bool Seniority => _seniority;

    public IEnumerable<Node> Grants => Nodes.Where(node => node.IsGrant);

    /// <summary>Zone 0 and all that were made, also those that do not count.</summary>
    public IEnumerable<int?> Zones => Nodes.Where(node => node.IsZone).Select(node => (int?)node.Number).Prepend(null);

    public static DocId Document { get; } = new(PeerOf(Authority).Value);

    public static World Random(Dice dice, bool seniority, int most)
    {
        var world = new World(dice, seniority);
        foreach (var peer in dice.Sample(Peers, 2))
        {
            var grant = world.NewNode(Authority, null, world.RandomAuth()) with { Actor = peer, Permission = dice.Pick([Permission.Control, Permission.Own, Permission.Own]) };
            world.Nodes.Add(grant);
        }

        for (var zones = dice.Next(4); zones > 0; zones--) world.AddZone(dice.Pick([.. world.Grants.Where(grant => grant.Number > 0)]));
        for (var left = dice.Between(3, most); left > 0; left--) world.AddRandom(null, Peers);
        return world;
    }

    /// <summary>Adds a statement of a random holder; of a coalition, if one is given.</summary>
    public void AddRandom(IReadOnlyCollection<char>? coalition, IReadOnlyList<char> actors)
    {
        var own = _dice.Pick([.. Grants.Where(grant => coalition?.Contains(grant.Actor) ?? grant.Number > 0)]);
        if (_dice.Percent(8)) AddZone(own);
        else if (_dice.Percent(coalition is null ? 60 : 50)) AddGrant(own, actors);
        else AddEnd(coalition, own);
    }

    /// <summary>Gives up one of an actor's grants, with any past that holds it.</summary>
    public Node AddRenounce(Node grant) => AddEnd(grant.Actor, grant.Number, grant.Number, RandomAuth(grant.Number));

    public List<int> RandomAuth(params IEnumerable<int> must) =>
        [.. _dice.Sample([.. Nodes.Select(node => node.Number)], _dice.Next(Math.Min(3, Nodes.Count) + 1)).Concat(must)];

    /// <summary>True if one zone is another or one that it lies in.</summary>
    public bool IsAtOrAbove(int? upper, int? lower)
    {
        while (lower is { } zone && lower != upper) lower = Nodes[zone].Zone;
        return lower == upper;
    }

    public int Depth(int? zone) => zone is { } number ? 1 + Depth(Nodes[number].Zone) : 0;

    public ZoneId IdOf(int? zone) => zone is { } number ? Nodes[number].Id.Zone : ZoneId.Root;

    /// <summary>The statements for the product, in an order in which each comes after its auth.</summary>
    public IEnumerable<PolicyStatement> Statements() => Nodes.Select(Statement);

    public PolicySet ToSet()
    {
        var set = new PolicySet(Document);
        foreach (var statement in Statements()) set.Add(statement);
        return set;
    }

    public static PeerId PeerOf(char name) => new(Padded($"{name}"));

    public static AccountId AccountOf(char name) => new(Padded($"{name} account"));

    /// <summary>The envelope at a place of the author's chain of deltas.</summary>
    public static EnvelopeId ChainId(char author, int seq) => new(Padded($"{author} {seq}"));

    // Mostly inside the grant that it relies on, and seen by the author; now and then neither.
    private void AddZone(Node own)
    {
        var parent = _dice.Percent(5) ? _dice.Pick([.. Zones]) : _dice.Pick([.. Zones.Where(zone => IsAtOrAbove(own.Zone, zone))]);
        Nodes.Add(NewNode(own.Actor, own.Number, AuthFor(own.Number, parent)) with { IsZone = true, Zone = parent });
    }

    private void AddGrant(Node own, IReadOnlyList<char> actors)
    {
        var below = Zones.Where(zone => IsAtOrAbove(own.Zone, zone) && zone != own.Zone).ToList();
        var zone = below.Count == 0 || _dice.Percent(40) ? own.Zone : _dice.Pick(below);
        if (_dice.Percent(5)) zone = _dice.Pick([.. Zones]);
        var permission = (Permission)_dice.Next(5);
        var isAccount = _dice.Percent(50);
        Nodes.Add(NewNode(own.Actor, own.Number, AuthFor(own.Number, zone)) with
        {
            Actor = _dice.Pick(actors),
            IsAccount = isAccount,
            Permission = permission,
            Zone = zone,
            HasSub = permission == Permission.Write && _dice.Percent(40),
            FromNow = isAccount && permission >= Permission.Read && _dice.Percent(30),
        });
    }

    private void AddEnd(IReadOnlyCollection<char>? coalition, Node own)
    {
        var target = _dice.Pick([.. Grants]).Number;
        if (coalition is null && _dice.Percent(10)) AddEnd(Authority, null, target, RandomAuth(target));
        else AddEnd(own.Actor, own.Number, target, RandomAuth(own.Number, target));
    }

    private Node AddEnd(char issuer, int? proof, int target, IEnumerable<int> auth)
    {
        var cuts = Peers.Where(_ => _dice.Percent(40)).Select(peer => new Cut(PeerOf(peer), (ulong)_dice.Between(1, 4), ChainId(peer, _dice.Between(1, 4))));
        var node = NewNode(issuer, proof, auth) with { Target = target, Cuts = [.. cuts.OrderBy(cut => cut.Author)] };
        Nodes.Add(node);
        return node;
    }

    private List<int> AuthFor(int own, int? zone) => zone is { } number && _dice.Percent(95) ? RandomAuth(own, number) : RandomAuth(own);

    private Node NewNode(char issuer, int? proof, IEnumerable<int> auth)
    {
        var first = Nodes.Count == 0;
        ImmutableHashSet<int> heads = [.. auth];
        return new(
            Nodes.Count, new(_dice.Bytes32()), first ? 1 : (ulong)_dice.Between(1, 4), issuer, proof, heads, [.. heads.SelectMany(head => Nodes[head].Past), .. heads]);
    }

    private PolicyStatement Statement(Node node) =>
        new(node.Id, Document, PeerOf(node.Issuer), node.Seq, [.. node.Auth.Select(number => Nodes[number].Id).Order()], Body(node));

    private Statement Body(Node node)
    {
        GrantId? proof = node.Proof is { } number ? Nodes[number].Id.Grant : null;
        if (node.Number == 0) return new Genesis(Document, _seniority ? DocumentKind.Account : DocumentKind.App, ActorOf(node));
        if (node.IsZone) return new ZoneCreate(IdOf(node.Zone), proof!.Value, default);
        if (node.IsGrant)
        {
            return new Grant(ActorOf(node), node.Permission, IdOf(node.Zone), proof)
            {
                Sub = node.HasSub ? new(default, default, ReadOnlyMemory<byte>.Empty) : null,
                FromNow = node.FromNow,
            };
        }

        var target = Nodes[node.Target!.Value].Id.Grant;
        return node.IsRenounce ? new Renounce(target) : new Revoke(target, proof, node.Cuts);
    }

    private static Actor ActorOf(Node node) => node.IsAccount
        ? new AccountActor(AccountOf(node.Actor), PeerOf(node.Actor), ReadOnlyMemory<byte>.Empty)
        : new PeerActor(PeerOf(node.Actor));

    private static Bytes32 Padded(string text)
    {
        var bytes = new byte[32];
        System.Text.Encoding.ASCII.GetBytes(text, bytes);
        return new(bytes);
    }
}
