using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>The structural grants by whom they name, each list in ascending key order. Immutable.</summary>
internal sealed class GrantIndex
{
    private static readonly ImmutableSortedSet<GrantNode> None = ImmutableSortedSet.Create<GrantNode>(GrantNode.ByKey);

    private readonly ImmutableDictionary<PeerId, ImmutableSortedSet<GrantNode>> _byPeer;

    private GrantIndex(ImmutableSortedSet<GrantNode> all, ImmutableSortedSet<GrantNode> ofAnyone, ImmutableDictionary<PeerId, ImmutableSortedSet<GrantNode>> byPeer)
    {
        All = all;
        OfAnyone = ofAnyone;
        _byPeer = byPeer;
    }

    public static GrantIndex Empty { get; } = new(None, None, ImmutableDictionary<PeerId, ImmutableSortedSet<GrantNode>>.Empty);

    public ImmutableSortedSet<GrantNode> All { get; }

    public ImmutableSortedSet<GrantNode> OfAnyone { get; }

    /// <summary>Those that name the one peer.</summary>
    public ImmutableSortedSet<GrantNode> Of(PeerId peer) => _byPeer.GetValueOrDefault(peer, None);

    public GrantIndex With(IReadOnlyCollection<GrantNode> grants)
    {
        if (grants.Count == 0) return this;
        var byPeer = _byPeer.ToBuilder();
        foreach (var grant in grants)
        {
            if (grant.Actor.Peer is { } peer) byPeer[peer] = byPeer.GetValueOrDefault(peer, None).Add(grant);
        }

        return new(All.Union(grants), OfAnyone.Union(grants.Where(grant => grant.Actor is AnyoneActor)), byPeer.ToImmutable());
    }
}
