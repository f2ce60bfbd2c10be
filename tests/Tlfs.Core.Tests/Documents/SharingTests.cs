using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>Who may read and write, before and after a revocation (docs/protocol/statements.md).</summary>
public sealed class SharingTests
{
    [Fact]
    public void A_granted_account_reads_and_writes_and_both_see_the_same()
    {
        using var ann = Copy.Begin(People.Ann, 1);
        ann.Set(".title", "\"shopping\"");
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 2);
        Assert.Equal(ann.Document.ToJson(), bob.Document.ToJson());
        bob.Edit(edit => edit.Insert(".tasks", 0, Core.Crdt.Json.Parse("""{"title":"milk","complete":true}""")));
        ann.Receive(bob);
        Assert.Equal("""{"people":{},"tasks":[{"complete":true,"title":"milk"}],"title":"shopping"}""", ann.Document.ToJson());
        Assert.Equal(ann.Document.StateHash, bob.Document.StateHash);
    }

    [Fact]
    public void A_stranger_is_not_heard_and_reads_nothing()
    {
        using var ann = Copy.Begin(People.Ann, 3);
        ann.Set(".title", "\"secret\"");
        using var cid = ann.Share(People.Cid, 4);
        Assert.True(cid.Document.IsLocked);
        Assert.Equal(Reason.KeyMissing, Assert.Throws<TlfsException>(() => cid.Document.ToJson()).Reason);
        Assert.All(cid.Document.Log.Where(held => held.Statement is null), held => Assert.Equal(Outcome.KeyMissing(Reason.KeyMissing), held.Outcome));
        Assert.Equal(Reason.KeyMissing, Assert.Throws<TlfsException>(() => cid.Set(".title", "\"mine\"")).Reason);
        var forged = new Draft(ann.Document.Id, 1, default, [], [ann.Document.Log[0].Envelope.Id], null)
            .SignStatement(People.Cid.Device, new Renounce(ann.Document.Log[0].Envelope.Id.Grant).Encode());
        Assert.Equal(Outcome.Pending(Reason.AuthorUnknown), ann.Document.Receive(forged));
    }

    [Fact]
    public void A_reader_may_not_write()
    {
        using var ann = Copy.Begin(People.Ann, 5);
        ann.Grant(People.Bob, Permission.Read);
        using var bob = ann.Share(People.Bob, 6);
        Assert.False(bob.Document.IsLocked);
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".title", "\"x\"")).Reason);
    }

    [Fact]
    public void After_a_revocation_later_and_back_dated_work_is_void_and_earlier_work_stays()
    {
        using var ann = Copy.Begin(People.Ann, 7);
        var grant = ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 8);
        var kept = bob.Set(".title", "\"kept\"");
        ann.Receive([kept]);
        ann.Make(author => author.Revoke(grant));
        var offline = bob.Set(".title", "\"too late\"");
        ann.Receive([offline]);
        Assert.Equal(EnvelopeStatus.Applied, ann.OutcomeOf(kept).Status);
        Assert.Equal(Reason.NotAuthorised, ann.OutcomeOf(offline).Reason);
        Assert.Contains("kept", ann.Document.ToJson(), StringComparison.Ordinal);

        // The author itself learns of it, and its view goes back to what counts.
        bob.Receive(ann);
        Assert.Equal(Reason.NotAuthorised, bob.OutcomeOf(offline).Reason);
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".title", "\"again\"")).Reason);
    }

    [Fact]
    public void A_revoked_reader_gets_no_key_of_what_is_written_later()
    {
        using var ann = Copy.Begin(People.Ann, 9);
        var grant = ann.Grant(People.Bob, Permission.Read);
        ann.Grant(People.Cid, Permission.Read);
        using var bob = ann.Share(People.Bob, 10);
        using var cid = ann.Share(People.Cid, 11);
        var bundle = ann.Make(author => author.Revoke(grant));
        Assert.Equal(2, bundle.Count);
        var later = ann.Set(".title", "\"not for Bob\"");
        bob.Receive(ann);
        cid.Receive(ann);
        Assert.Equal(Outcome.KeyMissing(Reason.KeyMissing), bob.OutcomeOf(later));
        Assert.Equal(Outcome.Applied, cid.OutcomeOf(later));
    }

    [Fact]
    public void A_later_member_reads_the_whole_history_through_the_history_keys()
    {
        using var ann = Copy.Begin(People.Ann, 12);
        for (var round = 0; round < 5; round++)
        {
            var grant = ann.Grant(People.Bob, Permission.Read);
            ann.Edit(edit => edit.Insert(".tasks", 0, Core.Crdt.Json.Parse("{}")));
            ann.Make(author => author.Revoke(grant));
        }

        ann.Grant(People.Cid, Permission.Read);
        using var cid = ann.Share(People.Cid, 13);
        Assert.Equal(ann.Document.ToJson(), cid.Document.ToJson());
    }

    [Fact]
    public void A_member_who_was_granted_while_somebody_else_rotated_gets_a_wrap_from_whoever_may_write()
    {
        using var ann = Copy.Begin(People.Ann, 14);
        ann.Grant(People.Bob, Permission.Own);
        var toRevoke = ann.Grant(People.Dan, Permission.Read);
        using var bob = ann.Share(People.Bob, 15);
        bob.Grant(People.Cid, Permission.Read);
        ann.Make(author => author.Revoke(toRevoke));
        var hidden = ann.Set(".title", "\"after the rotation\"");
        ann.Receive(bob);
        using var cid = ann.Share(People.Cid, 16);
        Assert.Equal(EnvelopeStatus.KeyMissing, cid.OutcomeOf(hidden).Status);
        ann.Make(author => author.WrapMissing());
        cid.Receive(ann);
        Assert.Equal(Outcome.Applied, cid.OutcomeOf(hidden));
        Assert.Empty(ann.Make(author => author.WrapMissing()));
    }

    [Fact]
    public void Grants_are_refused_with_a_reason_and_repeating_one_makes_nothing()
    {
        using var ann = Copy.Begin(People.Ann, 17);
        Assert.Equal(Reason.GrantRefused, Refusal(ann, author => author.Grant(AnyoneActor.Instance, Permission.Read)));
        Assert.Equal(Reason.GrantRefused, Refusal(ann, author => author.Grant(new PeerActor(People.Bob.Device.Public), Permission.Read)));
        Assert.Equal(Reason.GrantNotFound, Refusal(ann, author => author.Revoke(default)));
        var first = ann.Grant(People.Bob, Permission.Control);
        Assert.Equal(first, ann.Grant(People.Bob, Permission.Control));
        using var bob = ann.Share(People.Bob, 18);
        Assert.Equal(Reason.GrantRefused, Refusal(bob, author => author.Grant(People.Cid.Card.Actor, Permission.Control)));
        Assert.Equal(Reason.NotAuthorised, Refusal(bob, author => author.Revoke(ann.Document.Log[0].Envelope.Id.Grant)));
        bob.Grant(People.Cid, Permission.Write);
        ann.Make(author => author.Revoke(first));
        Assert.Equal(Reason.NothingToDo, Refusal(ann, author => author.Revoke(first)));
    }

    private static Reason Refusal(Copy copy, Action<DocumentAuthor> make) => Assert.Throws<TlfsException>(() => copy.Make(make)).Reason;
}
