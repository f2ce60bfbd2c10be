using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>What an evaluation says about a world.</summary>
/// <param name="Counts">valid or effective, by number.</param>
/// <param name="Holds">Grants that hold now, by number.</param>
/// <param name="Allowed">§4.9 for a delta: in its whole zone, or on a path.</param>
public sealed record Outcome(Func<Node, bool> Counts, Func<Node, bool> Holds, Func<Delta, bool> Allowed);

/// <summary>An envelope on an author's chain with a part in a zone, which needs Write there.</summary>
public sealed record Delta(char Author, int Seq, IReadOnlyList<int> Auth, int? Zone, Func<PeerId, ulong, EnvelopeId?> Chain)
{
    public EnvelopeId Id => World.ChainId(Author, Seq);
}

/// <summary>A property did not hold.</summary>
public sealed class ViolationException(string what) : Exception(what);

/// <summary>What must hold for any evaluation that is right, over random worlds and adversaries that back-date at will.</summary>
public static class Properties
{
    public static Outcome Product(World world)
    {
        var view = world.ToSet().Evaluate();
        return new(
            node => node.IsGrant ? view.Grant(node.Id.Grant)!.Valid : view.IsEffective(node.Id),
            node => view.Grant(node.Id.Grant)!.Holds,
            delta => view.JudgeParts(
                World.PeerOf(delta.Author), (ulong)delta.Seq, delta.Id, AuthOf(world, delta), [world.IdOf(delta.Zone)], isSnapshot: false, delta.Chain).Counts);
    }

    public static Func<World, Outcome> Wrong(Mutant mutant) => world =>
    {
        var reference = new Reference(world, mutant);
        return new(
            reference.Counts,
            reference.Holds,
            delta => reference.Allowed(delta, Permission.Write, delta.Zone) || reference.PathGrants(delta, delta.Zone).Any());
    };

    public static IReadOnlyList<EnvelopeId> AuthOf(World world, Delta delta) => [.. delta.Auth.Select(number => world.Nodes[number].Id)];

    public static Delta RandomDelta(Dice dice, World world, int nodes)
    {
        var seq = dice.Between(1, 5);
        var auth = dice.Sample([.. Enumerable.Range(0, nodes)], dice.Next(Math.Min(3, nodes) + 1));
        // The chain is held up to some number, and each author has equivocated now and then.
        var (length, fork) = (dice.Next(6), dice.Next(12));
        return new(dice.Pick(World.Peers), seq, auth, dice.Pick([.. world.Zones]), (peer, at) =>
            at > (ulong)length ? null : World.ChainId((int)at == fork ? '?' : World.Peers.First(name => World.PeerOf(name) == peer), (int)at));
    }

    /// <summary>What holds rests on the authority through grants that count and may delegate.</summary>
    public static bool GrantsRestOnTheAuthority(Dice dice, bool seniority, Func<World, Outcome> evaluate)
    {
        var world = World.Random(dice, seniority, 14);
        var outcome = evaluate(world);
        foreach (var grant in world.Grants.Where(outcome.Holds))
        {
            var at = grant;
            while (at.Proof is { } parent)
            {
                var (child, above) = (at, world.Nodes[parent]);
                at = above;
                Require(outcome.Counts(above), "a grant rests on one that does not count");
                Require(world.IsAtOrAbove(above.Zone, child.Zone), "a grant reaches out of its parent's zone");
                Require(above.Permission == Permission.Own || (above.Permission == Permission.Control && child.Permission <= Permission.Write), "permission rose");
            }

            Require(at.Issuer == World.Authority, "a grant rests on nobody");
        }

        return world.Grants.Any(grant => grant.Proof is not null && outcome.Holds(grant));
    }

    /// <summary>
    /// Peers all of whose grants were revoked, and their puppets, change nothing that there was, whatever they add and however they
    /// back-date it, and give nobody anything.
    /// </summary>
    public static bool RevokedPeersArePowerless(Dice dice, bool seniority, Func<World, Outcome> evaluate)
    {
        var world = World.Random(dice, seniority, 14);
        var before = evaluate(world);
        var powerless = World.Peers.Where(peer => IsPowerless(world, before, peer)).ToList();
        if (powerless.Count == 0) return false;
        var count = world.Nodes.Count;
        var deltas = Enumerable.Range(0, 4).Select(_ => RandomDelta(dice, world, count)).ToList();
        var kept = Remember(world, before, deltas);

        List<char> coalition = [.. powerless, 'X', 'Y'];
        for (var left = dice.Between(1, 8); left > 0; left--) world.AddRandom(coalition, [.. coalition, .. World.Peers]);
        var after = evaluate(world);
        Require(kept.SequenceEqual(Remember(world, after, deltas, count)), "revoked peers changed what there was");
        Require(!world.Grants.Any(grant => grant.Number >= count && after.Holds(grant)), "revoked peers gave a permission");
        return true;
    }

    /// <summary>A peer that still may act changes nothing outside of what it dominates.</summary>
    public static bool MaliciousPeerStaysInItsSubtree(Dice dice, bool seniority, Func<World, Outcome> evaluate)
    {
        var world = World.Random(dice, seniority, 14);
        var before = evaluate(world);
        var attacker = dice.Pick(World.Peers);
        var mine = world.Grants.Where(grant => grant.Actor == attacker).ToList();
        if (!mine.Any(before.Counts)) return false;

        var rules = new Reference(world);
        bool IsExposed(Node grant) => rules.Chain(grant).Any(step => mine.Any(own => own == step || rules.Dominates(own, step)));
        var safe = world.Nodes.Where(node => !node.IsZone).Where(node => node.IsGrant
            ? !IsExposed(node)
            : node.Issuer != attacker && (node.Proof is not { } proof || !IsExposed(world.Nodes[proof]))).ToList();
        var kept = safe.Select(before.Counts).ToList();
        for (var left = dice.Between(1, 8); left > 0; left--)
            world.AddRandom([attacker, 'X', 'Y'], [attacker, 'X', 'Y', .. World.Peers]);
        var after = evaluate(world);
        Require(kept.SequenceEqual(safe.Select(after.Counts)), "a peer reached out of its subtree");
        return kept.Contains(true);
    }

    /// <summary>
    /// Giving up a grant ends that grant and nothing else: no statement that was made without seeing it gains or loses, so nobody can
    /// back-date its leaving to wipe out what it had given.
    /// </summary>
    public static bool LeavingIsNotRetroactive(Dice dice, bool seniority, Func<World, Outcome> evaluate)
    {
        var world = World.Random(dice, seniority, 14);
        var before = evaluate(world);
        var left = dice.Pick([.. world.Grants]);
        var count = world.Nodes.Count;
        var deltas = Enumerable.Range(0, 4).Select(_ => RandomDelta(dice, world, count)).ToList();
        var kept = Remember(world, before, deltas, except: left);
        world.AddRenounce(left);
        Require(kept.SequenceEqual(Remember(world, evaluate(world), deltas, count, left)), "leaving changed what had been given");
        return world.Grants.Any(grant => grant.Proof == left.Number && before.Counts(grant));
    }

    private static bool IsPowerless(World world, Outcome outcome, char peer)
    {
        var grants = world.Grants.Where(grant => grant.Actor == peer && outcome.Counts(grant)).ToList();
        return grants.Count > 0
            && grants.TrueForAll(grant => world.Nodes.Exists(end => end.Target == grant.Number && !end.IsRenounce && outcome.Counts(end)));
    }

    private static List<bool> Remember(World world, Outcome outcome, List<Delta> deltas, int? count = null, Node? except = null)
    {
        var nodes = world.Nodes.Take(count ?? world.Nodes.Count).Where(node => !node.IsZone).ToList();
        return [.. nodes.Select(outcome.Counts), .. nodes.Where(node => node.IsGrant && node != except).Select(outcome.Holds), .. deltas.Select(outcome.Allowed)];
    }

    private static void Require(bool condition, string violation)
    {
        if (!condition) throw new ViolationException(violation);
    }
}
