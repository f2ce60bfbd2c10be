using System.Runtime.ExceptionServices;
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
    public void Chain_of_a_hundred_thousand_grants_is_evaluated() => OnSmallStack(() =>
    {
        var grant = _scene.Genesis;
        for (var i = 0; i < 100_000; i++) grant = _scene.Grant(Alice, grant, Alice, Permission.Own, [grant.Envelope]);
        Assert.Equal(Verdict.RestsOnMalformed, _scene.VerdictOf(grant));
        Assert.True(_scene.View.May(Alice, Permission.Own));
        Assert.Equal(Limits.DelegationDepth, _scene.View.Judged);
    });

    /// <summary>A server refuses the zone past each limit; a replica to which a server gave more evaluates them all.</summary>
    [Fact]
    public void Zones_are_refused_past_their_limits_and_evaluated_however_many_and_deep() => OnSmallStack(() =>
    {
        var deep = ZoneId.Root;
        for (var depth = 1; depth <= Limits.Zones; depth++)
        {
            var verdict = _scene.Judge(Alice, new ZoneCreate(deep, _scene.Genesis, default)).Verdict;
            Assert.Equal(depth <= Limits.ZoneDepth ? Verdict.Counts : Verdict.ZoneTooDeep, verdict);
            deep = _scene.Zone(Alice, _scene.Genesis, deep);
        }

        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Write, deep);
        Assert.Equal(Limits.Zones, _scene.View.Zones.Depth(deep));
        Assert.Equal(Verdict.TooManyZones, _scene.Judge(Alice, new ZoneCreate(ZoneId.Root, _scene.Genesis, default)).Verdict);
        Assert.True(_scene.View.Zones.IsAtOrAbove(ZoneId.Root, deep));
        Assert.Equal(Limits.Zones, _scene.View.Zones.Descendants(ZoneId.Root).Count);
        Assert.Equal([false, true], _scene.View.Readers(deep).Select(reader => reader.IsDirect));
        Assert.True(_scene.View.May(Bob, Permission.Write, deep));
        _scene.Revoke(Alice, _scene.Genesis, bob);
        Assert.Equal(1, _scene.View.Judged);
        Assert.False(_scene.View.May(Bob, Permission.Sync, deep));
    });

    [Fact]
    public void As_many_zones_as_there_may_be_with_members_of_their_own_are_evaluated() => OnSmallStack(() =>
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Control);
        var grants = new List<GrantId>();
        for (var i = 0; i < Limits.Zones; i++)
        {
            var zone = _scene.Zone(Bob, bob, ZoneId.Root);
            grants.Add(_scene.Grant(Bob, bob, Peer($"{i} member"), Permission.Write, zone));
        }

        Assert.Equal(Verdict.TooManyZones, _scene.Judge(Bob, new ZoneCreate(ZoneId.Root, bob, default)).Verdict);
        Assert.Equal(Limits.Zones + 2, _scene.View.Judged);
        Assert.All(_scene.View.Zones.Children(ZoneId.Root), zone => Assert.Equal(3, _scene.View.Readers(zone).Count));
        _scene.Revoke(Bob, bob, grants[0]);
        Assert.Equal(1, _scene.View.Judged);

        // The zones stay, and so do the grants in them, which Alice had seen.
        _scene.Revoke(Alice, _scene.Genesis, bob);
        Assert.Equal(1, _scene.View.Judged);
        Assert.Equal(Limits.Zones, _scene.View.Zones.Count);
    });

    /// <summary>As many revocations of a grant as one author may make, each with as many cuts as it may have.</summary>
    [Fact]
    public void A_thousand_cuts_are_looked_up_and_not_searched() => OnSmallStack(() =>
    {
        var grant = _scene.Add(Alice, new Grant(AnyoneActor.Instance, Permission.Sync, ZoneId.Root, _scene.Genesis)).Grant;
        var authors = Enumerable.Range(0, Limits.Cuts).Select(i => Peer($"{i} author")).ToList();
        for (var i = 0; i < Limits.RevocationsPerGrant; i++)
            _scene.Revoke(Alice, _scene.Genesis, grant, null, [.. authors.Select(author => new Cut(author, 5, Envelope("five")))]);
        var asked = 0;
        EnvelopeId? Chain(PeerId author, ulong seq)
        {
            asked++;
            return Envelope("five");
        }

        foreach (var author in authors)
        {
            Ruling Judge(ulong seq) => _scene.View.Judge(author, seq, Envelope("some"), [grant.Envelope], Permission.Sync, Chain);
            Assert.Equal((Verdict.Counts, Verdict.AfterCut), (Judge(4).Verdict, Judge(6).Verdict));
        }

        Assert.Equal(Limits.Cuts * Limits.RevocationsPerGrant, asked);
    });

    /// <summary>All the statements that a document may have, in one chain of auth, each revoking or granting.</summary>
    [Fact]
    public void As_many_statements_as_there_may_be_are_evaluated_on_a_small_stack() => OnSmallStack(() =>
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var grants = 2;
        while (_scene.Set.Count < Limits.Statements)
        {
            var carol = _scene.Grant(Bob, bob, Carol, Permission.Write);
            grants++;
            if (_scene.Set.Count < Limits.Statements) _scene.Revoke(Alice, _scene.Genesis, carol);
        }

        Assert.Equal(grants, _scene.View.Judged);
        Assert.False(_scene.View.May(Carol, Permission.Write));
        Assert.True(_scene.View.May(Bob, Permission.Own));
    });

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

    private static void OnSmallStack(Action check)
    {
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    check();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            maxStackSize: 256 << 10);
        thread.Start();
        thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

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
