using System.Globalization;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Policy;

/// <summary>
/// The evaluation against its definitions read as a recursion, and against adversaries. <c>CLOUDPEER_POLICY_CASES</c> sets how many random
/// policies row P4 is tried on, with and without seniority; docs/security/vectors.md has the last full run.
/// </summary>
public sealed class EvaluationLawsTests
{
    private const string Variable = "CLOUDPEER_POLICY_CASES";

    private static int Cases =>
        int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var cases) ? cases : 6_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Loop_agrees_with_recursion(bool seniority) => Dice.ForEach(10_000, dice =>
    {
        var world = World.Random(dice, seniority, 16);
        var product = Properties.Product(world);
        var reference = new Reference(world);
        foreach (var node in world.Nodes.Where(node => !node.IsZone))
        {
            // The product does not call an end effective when its target could never have counted; that decides nothing.
            var expected = reference.Counts(node) && (node.IsGrant || reference.IsWellFounded(world.Nodes[node.Target!.Value]));
            Assert.Equal(expected, product.Counts(node));
            if (node.IsGrant) Assert.Equal(reference.Holds(node), product.Holds(node));
        }

        return world.Nodes.Any(node => node.IsEnd && product.Counts(node));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Envelopes_count_as_the_reference_says(bool seniority) => Dice.ForEach(10_000, dice =>
    {
        var world = World.Random(dice, seniority, 16);
        var view = world.ToSet().Evaluate();
        var reference = new Reference(world);
        var said = false;
        for (var left = 10; left > 0; left--)
        {
            var delta = Properties.RandomDelta(dice, world, world.Nodes.Count);
            var (author, auth, zone) = (World.PeerOf(delta.Author), Properties.AuthOf(world, delta), world.IdOf(delta.Zone));
            var whole = view.Judge(author, (ulong)delta.Seq, delta.Id, auth, Permission.Write, zone, delta.Chain).Counts;
            var paths = view.PathGrants(author, (ulong)delta.Seq, delta.Id, auth, zone, delta.Chain);
            bool Parts(bool isSnapshot) => view.JudgeParts(author, (ulong)delta.Seq, delta.Id, auth, [zone], isSnapshot, delta.Chain).Counts;
            Assert.Equal(reference.Allowed(delta, Permission.Write, delta.Zone), whole);
            Assert.Equal(reference.PathGrants(delta, delta.Zone).Select(grant => grant.Id.Grant).Order(), paths.Order());
            Assert.Equal((whole, whole || paths.Count > 0), (Parts(isSnapshot: true), Parts(isSnapshot: false)));
            said |= whole;
        }

        return said;
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Zones_and_their_readers_are_those_of_the_reference(bool seniority) => Dice.ForEach(5_000, dice =>
    {
        var world = World.Random(dice, seniority, 16);
        var view = world.ToSet().Evaluate();
        var reference = new Reference(world);
        Assert.Equal(world.Zones.Count(reference.IsZone) - 1, view.Zones.Count);
        foreach (var zone in world.Zones)
        {
            var id = world.IdOf(zone);
            Assert.Equal(reference.IsZone(zone) ? world.Depth(zone) : null, view.Zones.Depth(id));
            var readers = reference.Readers(zone).Where(_ => reference.IsZone(zone)).ToDictionary(reader => reader.Key);
            var parent = zone is { } number ? reference.Readers(world.Nodes[number].Zone).ToDictionary(reader => reader.Key) : [];
            Assert.Equal(readers.Count, view.Readers(id).Count);
            foreach (var reader in view.Readers(id))
            {
                var name = World.Peers.Append('Z').First(peer => reader.Actor.Contains(World.PeerOf(peer)));
                var key = (name, reader.Actor is AccountActor);
                Assert.Equal(readers[key].Select(grant => grant.Id.Grant).Order(), reader.Grants.Order());
                Assert.Equal(!readers[key].All(grant => grant.FromNow), reader.History);
                Assert.Equal(!parent.TryGetValue(key, out var above) || (reader.History && above.All(grant => grant.FromNow)), reader.IsDirect);
            }

            foreach (var (peer, permission) in World.Peers.SelectMany(peer => Enum.GetValues<Permission>().Select(permission => (peer, permission))))
            {
                var may = view.May(World.PeerOf(peer), permission, id);
                Assert.Equal(reference.IsZone(zone) && reference.May(peer, permission, zone), may);
                Assert.Equal(may, view.Standing(World.PeerOf(peer), permission, id) is not null);
                Assert.True(!may || view.MayAnywhere(World.PeerOf(peer), permission));
            }
        }

        return view.Zones.Count > 0;
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Grants_rest_on_the_authority(bool seniority) =>
        Dice.ForEach(2_000, dice => Properties.GrantsRestOnTheAuthority(dice, seniority, Properties.Product));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P4_revoked_peers_and_their_puppets_are_powerless(bool seniority) =>
        Dice.ForEach(Cases, dice => Properties.RevokedPeersArePowerless(dice, seniority, Properties.Product));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P4_malicious_peer_stays_in_its_subtree(bool seniority) =>
        Dice.ForEach(Cases / 3, dice => Properties.MaliciousPeerStaysInItsSubtree(dice, seniority, Properties.Product));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P6_leaving_is_not_retroactive(bool seniority) =>
        Dice.ForEach(2_000, dice => Properties.LeavingIsNotRetroactive(dice, seniority, Properties.Product));

    [Theory]
    [InlineData(Mutant.CausalityIgnored, false)]
    [InlineData(Mutant.CausalityIgnored, true)]
    [InlineData(Mutant.EqualsRevokeEachOther, true)]
    public void Wrong_evaluation_lets_revoked_peers_act(Mutant mutant, bool seniority) =>
        AssertCatches(Properties.RevokedPeersArePowerless, mutant, seniority);

    [Theory]
    [InlineData(Mutant.LeavingIsRetroactive, false)]
    [InlineData(Mutant.LeavingIsRetroactive, true)]
    public void Wrong_evaluation_lets_leaving_wipe_out_grants(Mutant mutant, bool seniority) =>
        AssertCatches(Properties.LeavingIsNotRetroactive, mutant, seniority);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Order_of_insertion_does_not_matter(bool seniority) => Dice.ForEach(2_000, dice =>
    {
        var world = World.Random(dice, seniority, 16);
        var first = world.ToSet();
        var second = new PolicySet(World.Document);
        var waiting = world.Statements().ToList();
        while (waiting.Count > 0)
        {
            var next = dice.Pick(waiting.FindAll(statement => statement.Auth.All(second.Contains)));
            second.Add(next);
            waiting.Remove(next);
        }

        var (left, right) = (first.Evaluate(), second.Evaluate());
        Assert.Equal(first.Heads, second.Heads);
        Assert.Equal(left.Zones.Descendants(ZoneId.Root), right.Zones.Descendants(ZoneId.Root));
        Assert.All(world.Zones.Select(world.IdOf), zone => Assert.Equal(left.Readers(zone), right.Readers(zone)));
        Assert.Equal(left.Grants.OrderBy(grant => grant.Id), right.Grants.OrderBy(grant => grant.Id), new SameStatus());
        foreach (var statement in world.Statements()) Assert.Equal(left.Judge(statement, (_, _) => null), right.Judge(statement, (_, _) => null));
    });

    /// <summary>What a server says when a statement arrives is what the evaluation says when it is held, if no limit is in the way.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Judging_before_adding_agrees_with_judging_after(bool seniority) => Dice.ForEach(2_000, dice =>
    {
        var world = World.Random(dice, seniority, 16);
        var set = new PolicySet(World.Document);
        foreach (var statement in world.Statements())
        {
            var before = set.Evaluate().Judge(statement, (_, _) => null);
            set.Add(statement);
            var after = set.Evaluate();
            if (before.Verdict == Verdict.PolicyMoved)
            {
                // What a server refuses because of the order is a zone all the same for those who hold it.
                Assert.False(set.Covers([statement.Id], [.. world.Statements().TakeWhile(each => each.Id != statement.Id).Select(each => each.Id)]));
                continue;
            }

            Assert.Equal(before, after.Judge(statement, (_, _) => null));
            if (statement.Body is not ZoneCreate) Assert.Equal(before.Counts, after.Grant(statement.Id.Grant)?.Valid ?? after.IsEffective(statement.Id));
        }
    });

    private static void AssertCatches(Func<Dice, bool, Func<World, Outcome>, bool> property, Mutant mutant, bool seniority)
    {
        Assert.Contains(Seeds, seed => IsCaught(() => property(new Dice(seed), seniority, Properties.Wrong(mutant))));
        Assert.DoesNotContain(Seeds, seed => IsCaught(() => property(new Dice(seed), seniority, Properties.Wrong(Mutant.None))));
    }

    private static IEnumerable<ulong> Seeds => Enumerable.Range(0, 1_000).Select(seed => (ulong)seed);

    private static bool IsCaught(Func<bool> check)
    {
        try
        {
            check();
            return false;
        }
        catch (Exception e) when (e is ViolationException or CycleException)
        {
            return true;
        }
    }

    private sealed class SameStatus : IEqualityComparer<GrantStatus>
    {
        public bool Equals(GrantStatus? x, GrantStatus? y) => x!.Id == y!.Id && x.Ruling == y.Ruling && x.EndedBy == y.EndedBy;

        public int GetHashCode(GrantStatus obj) => obj.Id.GetHashCode();
    }
}
