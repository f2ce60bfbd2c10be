using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using static Tlfs.Core.Tests.Policy.Scene;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Limits, and what hostile authors can make the evaluation do.</summary>
public sealed class ScaleTests
{
    private readonly Scene _scene = new();

    [Fact]
    public void Delegation_ends_at_its_limit()
    {
        var grant = _scene.Genesis;
        for (var depth = 2; depth <= Limits.DelegationDepth; depth++) grant = _scene.Grant(Alice, grant, Alice, Permission.Own);
        Assert.Equal(Verdict.Counts, _scene.VerdictOf(grant));
        grant = _scene.Grant(Alice, grant, Alice, Permission.Own);
        Assert.Equal(Verdict.TooDeep, _scene.VerdictOf(grant));
        Assert.Equal(Verdict.RestsOnMalformed, _scene.VerdictOf(_scene.Grant(Alice, grant, Alice, Permission.Own)));
    }

    [Fact]
    public void Author_revokes_a_grant_up_to_the_limit_and_leaves_its_superiors_free()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var carol = _scene.Grant(Bob, bob, Carol, Permission.Write);
        for (var i = 0; i < Limits.RevocationsPerGrant; i++)
        {
            Assert.True(_scene.Judge(Bob, new Revoke(carol, bob, [])).Counts);
            _scene.Revoke(Bob, bob, carol);
        }

        Assert.Equal(Verdict.TooManyRevocations, _scene.Judge(Bob, new Revoke(carol, bob, [])).Verdict);
        Assert.True(_scene.Judge(Alice, new Revoke(carol, _scene.Genesis, [])).Counts);
    }

    [Fact]
    public void Document_takes_statements_up_to_the_limit()
    {
        for (var i = _scene.Set.Count; i < Limits.Statements - 1; i++) _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Read);
        Assert.True(_scene.Judge(Alice, new Renounce(_scene.Genesis)).Counts);
        var last = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Read);
        Assert.Equal(Verdict.TooManyStatements, _scene.Judge(Alice, new Renounce(_scene.Genesis)).Verdict);
        Assert.True(_scene.View.May(Carol, Permission.Read));
        Assert.Equal(Verdict.Counts, _scene.VerdictOf(last));
    }

    /// <summary>A recursion over parents would end the process here.</summary>
    [Fact]
    public void Chain_of_a_hundred_thousand_grants_is_evaluated()
    {
        var grant = _scene.Genesis;
        for (var i = 0; i < 100_000; i++) grant = _scene.Grant(Alice, grant, Alice, Permission.Own, [grant.Envelope]);
        Assert.Equal(Verdict.RestsOnMalformed, _scene.VerdictOf(grant));
        Assert.True(_scene.View.May(Alice, Permission.Own));
    }

    /// <summary>Everything revokes, or is made by, one grant: each pair of a revocation and a grant would be compared by a naive evaluation.</summary>
    [Fact]
    public void Many_revocations_of_a_grant_with_many_children_are_evaluated()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        EnvelopeId[] auth = [bob.Envelope];
        GrantId last = default;
        for (var i = 0; i < 10_000; i++)
        {
            _scene.Revoke(Alice, _scene.Genesis, bob, auth);
            _scene.Renounce(Bob, bob, auth);
            last = _scene.Grant(Bob, bob, Carol, Permission.Read, auth);
        }

        Assert.Equal(Verdict.Revoked, _scene.VerdictOf(last));
        Assert.False(_scene.View.May(Carol, Permission.Read));
    }

    [Fact]
    public void Statement_sets_are_sets() => Dice.ForEach(2_000, dice =>
    {
        var (left, right) = (RandomNumbers(dice), RandomNumbers(dice));
        var (leftSet, rightSet) = (StatementSet.Of(left), StatementSet.Of(right));
        var (union, both) = (leftSet.Union(rightSet), leftSet.Intersect(rightSet));
        foreach (var number in left.Union(right).Append(-1).Append(0).Append(7_999))
        {
            Assert.Equal(left.Contains(number), leftSet.Contains(number));
            Assert.Equal(left.Contains(number) || right.Contains(number), union.Contains(number));
            Assert.Equal(left.Contains(number) && right.Contains(number), both.Contains(number));
        }

        Assert.Equal(left.Overlaps(right), leftSet.Intersects(rightSet));
    });

    // Some runs, so that pages are shared, empty, equal and overlapping.
    private static HashSet<int> RandomNumbers(Dice dice)
    {
        var numbers = new HashSet<int>();
        for (var runs = dice.Next(4); runs > 0; runs--)
        {
            var start = dice.Next(8_000);
            numbers.UnionWith(Enumerable.Range(start, dice.Between(1, 40)));
        }

        return numbers;
    }
}
