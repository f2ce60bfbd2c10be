using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using static Tlfs.Core.Tests.Policy.Scene;

namespace Tlfs.Core.Tests.Policy;

/// <summary>One more statement is judged with those it affects, and the result is that of judging all from the beginning.</summary>
public sealed class IncrementalTests
{
    private readonly Scene _scene = new();

    /// <summary>In any causal order, back-dated statements and a second genesis included, whether evaluated after each statement or now and then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_by_step_equals_from_scratch(bool seniority) => Dice.ForEach(10_000, dice =>
    {
        var world = World.Random(dice, seniority, 14);
        var statements = CausalOrder(dice, world).ToList();
        var (stepwise, never) = (new PolicySet(World.Document), new PolicySet(World.Document));
        var rejudged = false;
        foreach (var statement in statements)
        {
            if (dice.Percent(20)) stepwise = stepwise.Copy();
            stepwise.Add(statement);
            never.Add(statement);
            if (!dice.Percent(70)) continue;
            var (step, scratch) = (stepwise.Evaluate(), never.Copy().Evaluate());
            foreach (var view in new[] { step, scratch }) Assert.InRange(view.Steps, view.Judged, 3 * never.Count);
            AssertSame(scratch, step, statements);
            rejudged |= step.Judged > 1 && step.Judged < scratch.Judged;
        }

        AssertSame(never.Evaluate(), stepwise.Evaluate(), statements);
        return rejudged;
    });

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public void One_more_statement_is_judged_alone_however_many_there_are(int count)
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Control);
        GrantId given = default;
        for (var i = 0; i < count; i++) given = _scene.Grant(Bob, bob, Peer($"{i} peer"), Permission.Write);
        Assert.Equal(count + 2, _scene.View.Judged);

        _scene.Grant(Bob, bob, Carol, Permission.Write);
        Assert.Equal(1, _scene.View.Judged);
        _scene.Revoke(Alice, _scene.Genesis, given);
        Assert.Equal(1, _scene.View.Judged);
        _scene.Add(Bob, new Rotate(ZoneId.Root, 0, [], default, default, [], []));
        Assert.Equal(0, _scene.View.Judged);
    }

    [Fact]
    public void Revocation_judges_again_what_it_had_not_seen_and_what_rests_on_that()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var seen = _scene.Set.Heads;
        var carol = _scene.Grant(Bob, bob, Carol, Permission.Own);
        var dave = _scene.Grant(Carol, carol, Dave, Permission.Write);
        for (var i = 0; i < 1_000; i++) _scene.Grant(Alice, _scene.Genesis, Peer($"{i} peer"), Permission.Write);
        Assert.True(_scene.View.May(Dave, Permission.Write));

        _scene.Revoke(Alice, _scene.Genesis, bob, seen);
        Assert.Equal(3, _scene.View.Judged);
        Assert.Equal(Verdict.Revoked, _scene.VerdictOf(carol));
        Assert.Equal(Verdict.GrantDoesNotCount, _scene.VerdictOf(dave));

        _scene.Revoke(Alice, _scene.Genesis, bob, seen);
        Assert.Equal(1, _scene.View.Judged);
    }

    /// <summary>Bob's revocation is undone by an older one of Bob: what Bob had ended comes back, with what rests on it.</summary>
    [Fact]
    public void Revocation_of_a_proof_judges_again_what_the_proof_had_ended()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Control);
        var carol = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Write);
        var seen = _scene.Set.Heads;
        var revocation = _scene.Revoke(Bob, bob, carol);
        for (var i = 0; i < 1_000; i++) _scene.Grant(Alice, _scene.Genesis, Peer($"{i} peer"), Permission.Write);
        Assert.False(_scene.View.May(Carol, Permission.Write));

        _scene.Revoke(Alice, _scene.Genesis, bob, seen);
        Assert.Equal(2, _scene.View.Judged);
        Assert.False(_scene.IsEffective(revocation));
        Assert.True(_scene.View.May(Carol, Permission.Write));
    }

    [Fact]
    public void Views_and_copies_keep_their_answers()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Write);
        var (before, copy) = (_scene.View, _scene.Set.Copy());
        _scene.Revoke(Alice, _scene.Genesis, bob);
        Assert.True(before.May(Bob, Permission.Write));
        Assert.True(copy.Evaluate().May(Bob, Permission.Write));
        Assert.False(_scene.View.May(Bob, Permission.Write));
    }

    private static IEnumerable<PolicyStatement> CausalOrder(Dice dice, World world)
    {
        var waiting = world.Statements().ToList();
        if (dice.Percent(20)) waiting.Add(Genesis(dice));
        var held = new HashSet<EnvelopeId>();
        while (waiting.Count > 0)
        {
            var next = dice.Pick(waiting.FindAll(statement => statement.Auth.All(held.Contains)));
            waiting.Remove(next);
            held.Add(next.Id);
            yield return next;
        }
    }

    private static PolicyStatement Genesis(Dice dice)
    {
        var body = new Genesis(World.Document, dice.Pick([DocumentKind.App, DocumentKind.Account]), new PeerActor(World.PeerOf(dice.Pick(World.Peers))));
        return new(new(dice.Bytes32()), World.Document, World.PeerOf(World.Authority), 1, [], body);
    }

    private static void AssertSame(PolicyView expected, PolicyView actual, List<PolicyStatement> statements)
    {
        Assert.Equal(expected.Kind, actual.Kind);
        Assert.Equal(expected.Grants, actual.Grants);
        Assert.All(actual.Zones.Descendants(ZoneId.Root).Prepend(ZoneId.Root), zone => Assert.Equal(expected.Readers(zone), actual.Readers(zone)));
        foreach (var statement in statements.Where(each => each.Body is Revoke or Renounce))
        {
            Assert.Equal(expected.Judge(statement, NoChain), actual.Judge(statement, NoChain));
            Assert.Equal(expected.IsEffective(statement.Id), actual.IsEffective(statement.Id));
        }
    }
}
