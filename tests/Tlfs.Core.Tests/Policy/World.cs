using System.Collections.Immutable;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>A statement of the reference: a grant, or the end of one. Proof is the number of the grant it relies on, or null.</summary>
public sealed record Node(int Number, EnvelopeId Id, ulong Seq, char Issuer, int? Proof, ImmutableHashSet<int> Auth, ImmutableHashSet<int> Past)
{
    public int? Target { get; init; }

    public char Actor { get; init; }

    public Permission Permission { get; init; }

    /// <summary>One letter a step.</summary>
    public string Path { get; init; } = "";

    public IReadOnlyList<Cut> Cuts { get; init; } = [];

    public bool IsGrant => Target is null;

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
        AddGrant(Authority, null, [], 'Z', Permission.Own, "");
    }

    public List<Node> Nodes { get; } = [];

    public bool Seniority => _seniority;

    public IEnumerable<Node> Grants => Nodes.Where(node => node.IsGrant);

    public static DocId Document { get; } = new(PeerOf(Authority).Value);

    public static World Random(Dice dice, bool seniority, int most)
    {
        var world = new World(dice, seniority);
        foreach (var peer in dice.Sample(Peers, 2))
            world.AddGrant(Authority, null, world.RandomAuth(), peer, dice.Pick([Permission.Control, Permission.Own, Permission.Own]), "");
        for (var left = dice.Between(3, most); left > 0; left--) world.AddRandom(null, Peers, ["", "a", "b", "x"]);
        return world;
    }

    /// <summary>Adds a statement of a random holder; of a coalition, if one is given.</summary>
    public void AddRandom(IReadOnlyCollection<char>? coalition, IReadOnlyList<char> actors, IReadOnlyList<string> steps)
    {
        var own = _dice.Pick([.. Grants.Where(grant => coalition?.Contains(grant.Actor) ?? grant.Number > 0)]);
        if (_dice.Percent(coalition is null ? 60 : 50))
        {
            var path = own.Path + _dice.Pick(steps);
            AddGrant(own.Actor, own.Number, RandomAuth(own.Number), _dice.Pick(actors), (Permission)_dice.Next(5), path);
            return;
        }

        var target = _dice.Pick([.. Grants]).Number;
        if (coalition is null && _dice.Percent(10)) AddEnd(Authority, null, target, RandomAuth(target));
        else AddEnd(own.Actor, own.Number, target, RandomAuth(own.Number, target));
    }

    /// <summary>Gives up one of an actor's grants, with any past that holds it.</summary>
    public Node AddRenounce(Node grant) => AddEnd(grant.Actor, grant.Number, grant.Number, RandomAuth(grant.Number));

    public List<int> RandomAuth(params int[] must) =>
        [.. _dice.Sample([.. Nodes.Select(node => node.Number)], _dice.Next(Math.Min(3, Nodes.Count) + 1)).Concat(must)];

    public void AddGrant(char issuer, int? parent, IEnumerable<int> auth, char actor, Permission permission, string path) =>
        Nodes.Add(NewNode(issuer, parent, auth) with { Actor = actor, Permission = permission, Path = path });

    public Node AddEnd(char issuer, int? proof, int target, IEnumerable<int> auth)
    {
        var cuts = Peers.Where(_ => _dice.Percent(40)).Select(peer => new Cut(PeerOf(peer), (ulong)_dice.Between(1, 4), ChainId(peer, _dice.Between(1, 4))));
        var node = NewNode(issuer, proof, auth) with { Target = target, Cuts = [.. cuts.OrderBy(cut => cut.Author)] };
        Nodes.Add(node);
        return node;
    }

    /// <summary>The statements for the product, in an order in which each comes after its auth.</summary>
    public IEnumerable<PolicyStatement> Statements() => Nodes.Select(Statement);

    public PolicySet ToSet()
    {
        var set = new PolicySet(Document, Zones());
        foreach (var statement in Statements()) set.Add(statement);
        return set;
    }

    public ZoneTree Zones()
    {
        var tree = ZoneTree.RootOnly;
        var paths = Grants.SelectMany(grant => Enumerable.Range(1, grant.Path.Length).Select(length => grant.Path[..length]));
        foreach (var path in paths.OrderBy(path => path.Length).DistinctBy(ZoneOf)) tree = tree.With(ZoneOf(path), ZoneOf(path[..^1]));
        return tree;
    }

    public static PeerId PeerOf(char name) => new(Padded($"{name}"));

    /// <summary>The envelope at a place of the author's chain of deltas.</summary>
    public static EnvelopeId ChainId(char author, int seq) => new(Padded($"{author} {seq}"));

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
        if (node.Number == 0) return new Genesis(Document, _seniority ? DocumentKind.Account : DocumentKind.App, new PeerActor(PeerOf(node.Actor)));
        if (node.IsGrant) return new Grant(new PeerActor(PeerOf(node.Actor)), node.Permission, ZoneOf(node.Path), proof);
        var target = Nodes[node.Target!.Value].Id.Grant;
        return node.IsRenounce ? new Renounce(target) : new Revoke(target, proof, node.Cuts);
    }

    private static ZoneId ZoneOf(string path) => new(Padded(path).ToArray().AsSpan(0, ZoneId.Size));

    private static Bytes32 Padded(string text)
    {
        var bytes = new byte[32];
        System.Text.Encoding.ASCII.GetBytes(text, bytes);
        return new(bytes);
    }
}
