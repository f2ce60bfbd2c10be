using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using static Tlfs.Core.Tests.Policy.Scene;

namespace Tlfs.Core.Tests.Policy;

public sealed class ExamplesTests
{
    private readonly Scene _scene = new();

    [Fact]
    public void Owner_grants_all_permissions_and_each_includes_those_below()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        _scene.Grant(Bob, bob, Carol, Permission.Write);
        Assert.True(_scene.View.May(Bob, Permission.Own));
        Assert.All([Permission.Sync, Permission.Read, Permission.Write], permission => Assert.True(_scene.View.May(Carol, permission)));
        Assert.False(_scene.View.May(Carol, Permission.Control));
        Assert.False(_scene.View.May(Dave, Permission.Sync));
    }

    [Theory]
    [InlineData(Permission.Write, Verdict.Counts)]
    [InlineData(Permission.Control, Verdict.PermissionTooLow)]
    [InlineData(Permission.Own, Verdict.PermissionTooLow)]
    public void Control_grants_up_to_write(Permission permission, Verdict verdict)
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Control);
        Assert.Equal(verdict, _scene.VerdictOf(_scene.Grant(Bob, bob, Carol, permission)));
    }

    [Theory]
    [InlineData(Permission.Sync)]
    [InlineData(Permission.Read)]
    [InlineData(Permission.Write)]
    public void Less_than_control_grants_and_revokes_nothing(Permission permission)
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, permission);
        var carol = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Sync);
        Assert.Equal(Verdict.PermissionTooLow, _scene.VerdictOf(_scene.Grant(Bob, bob, Dave, Permission.Sync)));
        Assert.Equal(Verdict.PermissionTooLow, _scene.Judge(Bob, new Revoke(carol, bob, [])).Verdict);
    }

    [Fact]
    public void Nobody_uses_the_grant_of_another_or_one_it_has_not_seen()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        Assert.Equal(Verdict.NotHolder, _scene.VerdictOf(_scene.Grant(Carol, bob, Carol, Permission.Own)));
        Assert.Equal(Verdict.NotInPast, _scene.VerdictOf(_scene.Grant(Bob, bob, Carol, Permission.Own, [_scene.Genesis.Envelope])));
        Assert.Equal(Verdict.NotInPast, _scene.VerdictOf(_scene.Grant(Bob, Envelope("nothing").Grant, Carol, Permission.Own)));
        Assert.Equal(Verdict.NotAuthority, _scene.VerdictOf(_scene.Grant(Carol, null, Carol, Permission.Own)));
        Assert.Equal(Verdict.NotAuthority, _scene.Judge(Carol, new Revoke(bob, null, [])).Verdict);
    }

    [Fact]
    public void What_rests_on_a_malformed_grant_counts_for_nothing()
    {
        var bad = _scene.Grant(Carol, null, Carol, Permission.Own);
        var worse = _scene.Grant(Carol, bad, Dave, Permission.Own);
        Assert.Equal(Verdict.RestsOnMalformed, _scene.VerdictOf(worse));
        Assert.Equal(Verdict.RestsOnMalformed, _scene.Judge(Alice, new Revoke(bad, _scene.Genesis, [])).Verdict);
        Assert.False(_scene.View.May(Dave, Permission.Sync));
    }

    [Fact]
    public void Revoked_owner_cannot_grant_itself_again_or_mint_puppets_or_revoke()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var carol = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Write);
        var before = _scene.Set.Heads;
        var revocation = _scene.Revoke(Alice, _scene.Genesis, bob);

        foreach (var auth in new[] { before, _scene.Set.Heads })
        {
            var again = _scene.Grant(Bob, bob, Bob, Permission.Own, auth);
            var puppet = _scene.Grant(Bob, bob, Dave, Permission.Own, auth);
            Assert.Equal(new Ruling(Verdict.Revoked, revocation), _scene.View.Grant(again)!.Ruling);
            Assert.Equal(Verdict.Revoked, _scene.VerdictOf(puppet));
            Assert.Equal(Verdict.GrantDoesNotCount, _scene.VerdictOf(_scene.Grant(Dave, puppet, Bob, Permission.Own)));
            Assert.False(_scene.IsEffective(_scene.Revoke(Bob, bob, carol, auth)));
        }

        Assert.False(_scene.View.May(Bob, Permission.Sync));
        Assert.False(_scene.View.May(Dave, Permission.Sync));
        Assert.True(_scene.View.May(Carol, Permission.Write));
    }

    [Fact]
    public void What_the_revoker_had_seen_stays()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var carol = _scene.Grant(Bob, bob, Carol, Permission.Write);
        _scene.Revoke(Alice, _scene.Genesis, bob);
        Assert.True(_scene.View.Grant(bob) is { Valid: true, Revoked: true, Holds: false });
        Assert.True(_scene.View.Grant(carol) is { Valid: true, Revoked: false, Holds: true });
    }

    [Fact]
    public void Grantee_cannot_revoke_its_granter()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var carol = _scene.Grant(Bob, bob, Carol, Permission.Own);
        Assert.Equal(Verdict.NotDominated, _scene.Judge(Carol, new Revoke(bob, carol, [])).Verdict);
        Assert.Equal(Verdict.NotDominated, _scene.Judge(Carol, new Revoke(_scene.Genesis, carol, [])).Verdict);
        Assert.Equal(Verdict.NotDominated, _scene.Judge(Carol, new Revoke(carol, carol, [])).Verdict);
        Assert.True(_scene.Judge(Bob, new Revoke(carol, bob, [])).Counts);
        Assert.True(_scene.Judge(Authority, new Revoke(_scene.Genesis, null, [])).Counts);
    }

    [Theory]
    [InlineData(DocumentKind.App, false)]
    [InlineData(DocumentKind.Account, true)]
    public void Older_of_equal_owners_revokes_the_younger_in_account_documents_only(DocumentKind kind, bool counts)
    {
        var scene = new Scene(kind);
        var bob = scene.Grant(Alice, scene.Genesis, Bob, Permission.Own);
        var carol = scene.Grant(Alice, scene.Genesis, Carol, Permission.Own);
        Assert.Equal(counts, scene.Judge(Bob, new Revoke(carol, bob, [])).Counts);
        Assert.Equal(Verdict.NotDominated, scene.Judge(Carol, new Revoke(bob, carol, [])).Verdict);
    }

    [Fact]
    public void Seniority_is_decided_where_two_lines_of_delegation_part()
    {
        var scene = new Scene(DocumentKind.Account);
        var elder = scene.Grant(Authority, null, Bob, Permission.Own);
        var younger = scene.Grant(Authority, null, Carol, Permission.Own);
        scene.Grant(Bob, elder, Dave, Permission.Read);
        var ofElder = scene.Grant(Dave, scene.Grant(Bob, elder, Dave, Permission.Own), Dave, Permission.Own);

        // Carol's first statement has a smaller number than the one of Bob's that the other line goes through.
        var ofYounger = scene.Grant(Alice, scene.Grant(Carol, younger, Alice, Permission.Own), Alice, Permission.Own);
        Assert.True(scene.Judge(Dave, new Revoke(ofYounger, ofElder, [])).Counts);
        Assert.Equal(Verdict.NotDominated, scene.Judge(Alice, new Revoke(ofElder, ofYounger, [])).Verdict);
    }

    [Fact]
    public void Renounce_ignores_other_renounces_of_the_grant()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var first = _scene.Renounce(Bob, bob);
        Assert.True(_scene.Judge(Bob, new Renounce(bob)).Counts);
        Assert.True(_scene.IsEffective(_scene.Renounce(Bob, bob)));
        Assert.True(_scene.IsEffective(first));
        Assert.Equal(Verdict.Renounced, _scene.Judge(Bob, new Revoke(_scene.Grant(Alice, _scene.Genesis, Carol, Permission.Read), bob, [])).Verdict);
    }

    [Fact]
    public void Renounce_ends_the_grant_and_what_comes_after_it_only()
    {
        var bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        var carol = _scene.Grant(Bob, bob, Carol, Permission.Write);
        var renounce = _scene.Renounce(Bob, bob, [bob.Envelope]);
        var dave = _scene.Grant(Bob, bob, Dave, Permission.Write);
        Assert.True(_scene.IsEffective(renounce));
        Assert.False(_scene.View.May(Bob, Permission.Sync));
        Assert.True(_scene.View.May(Carol, Permission.Write));
        Assert.Equal(new Ruling(Verdict.Renounced, renounce), _scene.View.Grant(dave)!.Ruling);
        Assert.Equal(Verdict.NotHolder, _scene.Judge(Carol, new Renounce(_scene.Genesis)).Verdict);
    }

    [Fact]
    public void Anyone_may_have_sync_only_and_nobody_gives_it_up_for_all()
    {
        var sync = _scene.Add(Alice, new Grant(AnyoneActor.Instance, Permission.Sync, ZoneId.Root, _scene.Genesis)).Grant;
        var read = _scene.Add(Alice, new Grant(AnyoneActor.Instance, Permission.Read, ZoneId.Root, _scene.Genesis)).Grant;
        Assert.Equal(Verdict.AnyoneOnlySync, _scene.VerdictOf(read));
        Assert.Equal(Verdict.AnyoneOnlySync, _scene.Judge(Dave, new Renounce(sync)).Verdict);
        Assert.True(_scene.View.May(Dave, Permission.Sync));
        Assert.False(_scene.View.May(Dave, Permission.Read));
        Assert.False(_scene.View.IsNamed(Dave));
        _scene.Revoke(Alice, _scene.Genesis, sync);
        Assert.False(_scene.View.May(Dave, Permission.Sync));
    }

    [Fact]
    public void Account_stands_for_its_device_and_reads_once()
    {
        var account = new AccountId(Carol.Value);
        _scene.Add(Alice, new Grant(new AccountActor(account, Dave, new byte[1]), Permission.Write, ZoneId.Root, _scene.Genesis));
        _scene.Add(Alice, new Grant(new AccountActor(account, Dave, new byte[2]), Permission.Read, ZoneId.Root, _scene.Genesis));
        _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Sync);
        Assert.True(_scene.View.May(Dave, Permission.Write));
        Assert.False(_scene.View.May(Carol, Permission.Sync));
        Assert.Equal([new PeerActor(Alice), new AccountActor(account, Dave, new byte[1])], _scene.View.Readers());
    }

    [Fact]
    public void Genesis_counts_once_and_only_from_the_authority()
    {
        Assert.Equal(Verdict.BadGenesis, _scene.Judge(Bob, new Genesis(Document, DocumentKind.App, new PeerActor(Bob)), []).Verdict);
        Assert.Equal(Verdict.WrongDocument, _scene.Judge(Authority, new Genesis(new(Bob.Value), DocumentKind.App, new PeerActor(Bob)), []).Verdict);
        var second = new PolicyStatement(Envelope("z"), Document, Authority, 1, [], new Genesis(Document, DocumentKind.Account, new PeerActor(Bob)));
        Assert.Equal(Verdict.BadGenesis, _scene.View.Judge(second, NoChain).Verdict);
        _scene.Set.Add(second);
        Assert.Equal(Verdict.BadGenesis, _scene.VerdictOf(second.Id.Grant));
        Assert.Equal(Verdict.GrantDoesNotCount, _scene.VerdictOf(_scene.Grant(Bob, second.Id.Grant, Carol, Permission.Own)));
        Assert.Equal(DocumentKind.App, _scene.View.Kind);
    }

    [Fact]
    public void Set_refuses_what_its_caller_must_not_add()
    {
        Assert.Throws<ArgumentException>(() => _scene.Set.Add(_scene.Make(Alice, new Renounce(_scene.Genesis), [Envelope("nothing")])));
        Assert.Throws<ArgumentException>(() => _scene.Set.Add(_scene.Make(Alice, new Renounce(_scene.Genesis)) with { Document = new(Bob.Value) }));
        var statement = _scene.Make(Alice, new Renounce(_scene.Genesis));
        Assert.True(_scene.Set.Add(statement));
        Assert.False(_scene.Set.Add(statement));
        Assert.Equal(Verdict.WrongDocument, _scene.View.Judge(statement with { Document = new(Bob.Value) }, NoChain).Verdict);
    }

    [Fact]
    public void View_is_a_snapshot_and_is_made_once()
    {
        var before = _scene.View;
        Assert.Same(before, _scene.View);
        _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);
        Assert.False(before.May(Bob, Permission.Sync));
        Assert.Single(before.Grants);
        Assert.Equal(2, _scene.View.Grants.Count);
    }
}
