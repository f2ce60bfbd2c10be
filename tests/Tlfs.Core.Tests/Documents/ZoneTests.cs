using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>Sharing a part of a document (docs/protocol/statements.md §6).</summary>
public sealed class ZoneTests
{
    [Fact]
    public void Who_may_read_a_subtree_sees_what_was_and_what_comes_there_and_nothing_else()
    {
        using var ann = Copy.Begin(People.Ann, 101);
        ann.Set(".title", "\"for Ann\"");
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"milk","complete":true}""")));
        ann.Set(".people[\"Ann\"].age", "40");
        ann.Grant(People.Bob, Permission.Read, ".tasks");
        using var bob = ann.Share(People.Bob, 102);
        Assert.Equal("""{"tasks":[{"complete":true,"title":"milk"}]}""", bob.Document.ToJson());
        ann.Set(".title", "\"still for Ann\"");
        ann.Edit(edit => edit.Insert(".tasks", 1, Json.Parse("""{"title":"bread"}""")));
        bob.Receive(ann);
        Assert.Equal("""{"tasks":[{"complete":true,"title":"milk"},{"complete":false,"title":"bread"}]}""", bob.Document.ToJson());
        Assert.Equal("\"still for Ann\"", ann.Document.ToJson(".title"));
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".tasks[0].title", "\"x\"")).Reason);
    }

    [Fact]
    public void An_edit_of_two_zones_is_one_envelope_with_a_part_for_each()
    {
        using var ann = Copy.Begin(People.Ann, 103);
        ann.Grant(People.Bob, Permission.Write, ".tasks");
        using var bob = ann.Share(People.Bob, 104);
        var both = ann.Edit(edit =>
        {
            edit.Set(".title", Json.Parse("\"t\""));
            edit.Insert(".tasks", 0, Json.Parse("""{"title":"milk"}"""));
        });
        Assert.Equal(2, both.Header.Parts.Count);
        bob.Receive(ann);
        Assert.Equal("""[{"complete":false,"title":"milk"}]""", bob.Document.ToJson(".tasks"));
        Assert.Equal(Outcome.Applied, bob.OutcomeOf(both));
        bob.Set(".tasks[0].complete", "true");
        ann.Receive(bob);
        Assert.Equal("""{"people":{},"tasks":[{"complete":true,"title":"milk"}],"title":"t"}""", ann.Document.ToJson());
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".title", "\"x\"")).Reason);
    }

    [Fact]
    public void Removing_everything_removes_it_for_those_too_who_read_a_part()
    {
        using var ann = Copy.Begin(People.Ann, 105);
        ann.Set(".people[\"Bob\"].age", "30");
        ann.Set(".people[\"Cid\"].age", "20");
        ann.Grant(People.Bob, Permission.Read, ".people[\"Bob\"]");
        using var bob = ann.Share(People.Bob, 106);
        Assert.Equal("""{"people":{"Bob":{"age":30}}}""", bob.Document.ToJson());
        var removal = ann.Edit(edit => edit.Remove(".people"));
        Assert.Equal(2, removal.Header.Parts.Count);
        bob.Receive(ann);
        Assert.Equal("""{"people":{}}""", bob.Document.ToJson());
        Assert.Equal("""{}""", ann.Document.ToJson(".people"));
    }

    [Fact]
    public void Zones_nest_and_who_reads_the_outer_one_reads_the_inner_one()
    {
        using var ann = Copy.Begin(People.Ann, 107);
        ann.Set(".people[\"Bob\"].age", "30");
        ann.Grant(People.Bob, Permission.Read, ".people[\"Bob\"]");
        IReadOnlyList<GrantId> several = [];
        ann.Make(author => several = author.Grant(People.Cid.Card.Actor, Permission.Read, ".people"));
        Assert.Equal(".people .people[\"Bob\"]", string.Join(' ', several.Select(id => ann.Document.PathOf(ann.Document.Policy.Grant(id)!))));
        ann.Grant(People.Dan, Permission.Read, ".people[\"Bob\"].age");
        ann.Set(".people[\"Bob\"].age", "31");
        using var bob = ann.Share(People.Bob, 108);
        using var cid = ann.Share(People.Cid, 109);
        using var dan = ann.Share(People.Dan, 110);
        foreach (var copy in new[] { bob, cid, dan }) Assert.Equal("""{"people":{"Bob":{"age":31}}}""", copy.Document.ToJson());
    }

    [Fact]
    public void A_revoked_reader_of_a_subtree_opens_nothing_later_there_and_the_others_do()
    {
        using var ann = Copy.Begin(People.Ann, 111);
        var grant = ann.Grant(People.Bob, Permission.Read, ".people");
        ann.Grant(People.Cid, Permission.Read, ".people[\"Cid\"]");
        using var bob = ann.Share(People.Bob, 112);
        using var cid = ann.Share(People.Cid, 113);
        var bundle = ann.Make(author => author.Revoke(grant));
        Assert.Equal(3, bundle.Count);
        var later = ann.Set(".people[\"Cid\"].age", "5");
        bob.Receive(ann);
        cid.Receive(ann);
        Assert.Equal(EnvelopeStatus.KeyMissing, bob.OutcomeOf(later).Status);
        Assert.Equal(Outcome.Applied, cid.OutcomeOf(later));
        Assert.Equal("5", cid.Document.ToJson(".people[\"Cid\"].age"));
    }

    [Fact]
    public void A_member_from_now_on_sees_what_is_there_and_comes_and_no_earlier_value()
    {
        using var ann = Copy.Begin(People.Ann, 114);
        var old = ann.Set(".title", "\"old\"");
        ann.Set(".title", "\"now\"");
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"a"}""")));
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"b"}""")));
        ann.Edit(edit => edit.Move(".tasks", 0, 1));
        ann.Grant(People.Bob, Permission.Write, fromNow: true);
        using var bob = ann.Share(People.Bob, 115);
        Assert.Equal(ann.Document.ToJson(), bob.Document.ToJson());
        Assert.Equal(EnvelopeStatus.KeyMissing, bob.OutcomeOf(old).Status);
        bob.Set(".title", "\"later\"");
        bob.Edit(edit => edit.Move(".tasks", 0, 1));
        ann.Receive(bob);
        Assert.Equal(ann.Document.ToJson(allValues: true), bob.Document.ToJson(allValues: true));
        ann.Make(author => author.WrapMissing());
        bob.Receive(ann);
        Assert.Equal(EnvelopeStatus.KeyMissing, bob.OutcomeOf(old).Status);
    }

    [Fact]
    public void Write_narrowed_to_a_path_counts_there_only_and_the_path_is_hidden_from_the_server()
    {
        using var ann = Copy.Begin(People.Ann, 116);
        ann.Grant(People.Bob, Permission.Read);
        var narrowed = ann.Grant(People.Bob, Permission.Write, ".people");
        Assert.NotNull(ann.Document.Policy.Grant(narrowed)!.Sub);
        Assert.Equal(".people", ann.Document.PathOf(ann.Document.Policy.Grant(narrowed)!));
        using var bob = ann.Share(People.Bob, 117);
        var inside = bob.Set(".people[\"Bob\"].age", "30");
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".title", "\"x\"")).Reason);
        ann.Receive(bob);
        Assert.Equal(Outcome.Applied, ann.OutcomeOf(inside));
        ann.Make(author => author.Revoke(narrowed));
        bob.Receive(ann);
        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".people[\"Bob\"].age", "31")).Reason);
        Assert.Equal(Outcome.Applied, bob.OutcomeOf(inside));
    }

    // Each owner was shown a log without the other's work, so each made a zone of the same path.
    [Fact]
    public void A_path_that_servers_made_two_owners_split_twice_is_one_again()
    {
        using var ann = Copy.Begin(People.Ann, 130);
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"before"}""")));
        ann.Grant(People.Bob, Permission.Own);
        using var bob = ann.Share(People.Bob, 131);
        ann.Grant(People.Cid, Permission.Write, ".tasks");
        bob.Grant(People.Dan, Permission.Write, ".tasks");
        using var cid = ann.Share(People.Cid, 132);
        using var dan = bob.Share(People.Dan, 133);
        cid.Edit(edit => edit.Insert(".tasks", 1, Json.Parse("""{"title":"cid"}""")));
        dan.Edit(edit => edit.Insert(".tasks", 1, Json.Parse("""{"title":"dan"}""")));
        ann.Receive(cid);
        bob.Receive(dan);
        Copy[] all = [ann, bob, cid, dan];

        // The fork ends. Everybody gets everything, and an owner does what members do.
        for (var round = 0; round < 3; round++)
        {
            foreach (var copy in all)
                foreach (var other in all) copy.Receive(other);
            ann.Make(author =>
            {
                author.WrapMissing();
                author.HealSplits();
            });
        }

        Assert.Empty(ann.Make(author => author.HealSplits()));
        foreach (var copy in all)
        {
            copy.Receive(ann);
            foreach (var title in (string[])["before", "cid", "dan"]) Assert.Contains(title, copy.Document.ToJson(".tasks"), StringComparison.Ordinal);
            Assert.Equal(ann.Document.ToJson(".tasks"), copy.Document.ToJson(".tasks"));
        }

        // From here on all write where all read.
        dan.Set(".tasks[0].title", "\"again\"");
        foreach (var copy in all)
        {
            copy.Receive(dan);
            Assert.Contains("again", copy.Document.ToJson(".tasks"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Keys_change_with_age_and_everybody_goes_on_reading()
    {
        using var ann = Copy.Begin(People.Ann, 118);
        ann.Grant(People.Bob, Permission.Read, ".tasks");
        ann.Grant(People.Cid, Permission.Read);
        using var bob = ann.Share(People.Bob, 119);
        using var cid = ann.Share(People.Cid, 120);
        Assert.Empty(ann.Make(author => author.RotateWorn(_ => false)));
        Assert.Equal(2, ann.Make(author => author.RotateWorn(_ => true)).Count);
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"milk"}""")));
        foreach (var copy in new[] { bob, cid })
        {
            copy.Receive(ann);
            Assert.Equal("""[{"complete":false,"title":"milk"}]""", copy.Document.ToJson(".tasks"));
        }
    }

    [Fact]
    public void A_copy_that_lacks_a_part_takes_it_when_it_comes()
    {
        using var ann = Copy.Begin(People.Ann, 121);
        ann.Set(".title", "\"t\"");
        ann.Grant(People.Bob, Permission.Read);
        using var bob = new Copy(People.Bob, ann.Document.Id, 122);
        bob.Receive(ann.All.Select(envelope => envelope.Without(_ => true)));
        Assert.Equal(2, bob.Document.Withheld().Count());
        bob.Receive(ann.All);
        Assert.Equal(ann.Document.ToJson(), bob.Document.ToJson());
        Assert.Empty(bob.Document.Withheld());
    }
}
