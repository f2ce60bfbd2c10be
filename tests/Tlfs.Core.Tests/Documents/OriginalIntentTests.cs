using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>
/// What each test of the original engine was about, through real envelopes: its kinds under concurrent edits, transactions, and who may give and take
/// which permission. Conditional grants are not here: this version has none.
/// </summary>
public sealed class OriginalIntentTests : IDisposable
{
    private static readonly LensList Maps = Schemas.Latest("maps { 0.1.0 { .: Struct .m: Table<String> .m.{}: Table<u64> .m.{}.{}: MVReg<String> } }");

    private readonly List<Copy> _copies = [];

    [Fact]
    public void Flag_that_is_set_and_cleared_at_once_is_set()
    {
        var (ann, bob) = Two();
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"complete":true}""")));
        Meet(ann, bob);
        bob.Set(".tasks[0].complete", "false");
        ann.Set(".tasks[0].complete", "true");
        Meet(ann, bob);
        Assert.Equal("true", Same(".tasks[0].complete"));
        ann.Set(".tasks[0].complete", "false");
        Meet(ann, bob);
        Assert.Equal("false", Same(".tasks[0].complete"));
    }

    /// <summary>Cid hears of the clearing before the setting, and of a second setting that the clearing had not seen.</summary>
    [Fact]
    public void Flag_is_right_after_every_step_of_a_partial_exchange()
    {
        var (ann, bob) = Two();
        ann.Grant(People.Cid, Permission.Read);
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("{}")));
        Meet(ann, bob);
        var cid = Join(ann, People.Cid);
        var set = ann.Set(".tasks[0].complete", "true");
        bob.Receive([set]);
        var cleared = bob.Set(".tasks[0].complete", "false");
        var setAgain = ann.Edit(edit => edit.Set(".tasks[0]", Json.Parse("""{"complete":true}""")));

        Assert.Equal(EnvelopeStatus.Pending, cid.Receive([cleared])[0].Status);
        Assert.Equal("false", cid.Document.ToJson(".tasks[0].complete"));
        cid.Receive([set]);
        Assert.Equal("false", cid.Document.ToJson(".tasks[0].complete"));
        cid.Receive([setAgain]);
        Assert.Equal("true", cid.Document.ToJson(".tasks[0].complete"));
        Meet(ann, bob);
        Assert.Equal("true", Same(".tasks[0].complete"));
    }

    [Fact]
    public void Register_keeps_values_written_at_once_until_somebody_chooses()
    {
        var (ann, bob) = Two();
        ann.Set(".title", "\"a\"");
        bob.Set(".title", "\"b\"");
        Meet(ann, bob);
        Assert.True(Same(".title") is "\"a\"" or "\"b\"");
        Assert.True(ann.Document.ToJson(".title", allValues: true) is "[\"a\",\"b\"]" or "[\"b\",\"a\"]");
        bob.Set(".title", "\"both\"");
        Meet(ann, bob);
        Assert.Equal("[\"both\"]", ann.Document.ToJson(".title", allValues: true));
    }

    [Fact]
    public void Arrays_in_an_array_are_edited_at_once_and_one_that_is_removed_stays_for_a_new_element()
    {
        var (ann, bob) = Two(Schemas.Everything);
        ann.Set(".matrix", "[[1],[2,3],[4]]");
        Meet(ann, bob);
        ann.Edit(edit => edit.Insert(".matrix[0]", 1, Json.Parse("10")));
        ann.Edit(edit => edit.Remove(".matrix[1]"));
        ann.Edit(edit => edit.Remove(".matrix[1]"));
        bob.Edit(edit => edit.Insert(".matrix[0]", 0, Json.Parse("0")));
        bob.Edit(edit => edit.Insert(".matrix[1]", 2, Json.Parse("5")));
        Meet(ann, bob);
        Assert.Equal("[[0,1,10],[5]]", Same(".matrix"));
    }

    [Fact]
    public void Tables_and_structs_join_row_by_row_and_field_by_field()
    {
        var (ann, bob) = Two(Schemas.Everything);
        ann.Set(".byI64[1]", """{"name":"one","tags":["x"]}""");
        ann.Set(".byI64[2].name", "\"two\"");
        Meet(ann, bob);
        ann.Set(".byI64[1].name", "\"uno\"");
        ann.Edit(edit => edit.Remove(".byI64[2]"));
        ann.Set(".inner.text", "\"deep\"");
        bob.Edit(edit => edit.Insert(".byI64[1].tags", 1, Json.Parse("\"y\"")));
        bob.Set(".byI64[3].name", "\"three\"");
        bob.Set(".inner.flags[\"f\"]", "true");
        Meet(ann, bob);
        Assert.Equal("""{"1":{"name":"uno","tags":["x","y"]},"3":{"name":"three","tags":[]}}""", Same(".byI64"));
        Assert.Equal("""{"flags":{"f":true},"text":"deep"}""", Same(".inner"));
    }

    [Fact]
    public void Element_that_two_move_at_once_is_in_one_place_with_what_was_written_in_it()
    {
        var (ann, bob) = Two();
        ann.Set(".tasks", """[{"title":"x"},{"title":"y"},{"title":"z"}]""");
        Meet(ann, bob);
        ann.Edit(edit => edit.Move(".tasks", 0, 2));
        bob.Edit(edit =>
        {
            edit.Set(".tasks[0].title", Json.Parse("\"X\""));
            edit.Move(".tasks", 0, 1);
        });
        Meet(ann, bob);
        Assert.True(Titles(Same(".tasks")) is "yzX" or "yXz");
    }

    [Fact]
    public void Tables_in_a_table_keep_what_was_written_in_one_that_is_removed_at_once()
    {
        var (ann, bob) = Two(Maps);
        ann.Set(".m", """{"a":{"1":"x","2":"y"},"b":{"1":"z"}}""");
        Meet(ann, bob);
        ann.Edit(edit => edit.Remove(".m[\"a\"]"));
        ann.Edit(edit => edit.Remove(".m[\"b\"]"));
        bob.Set(".m[\"a\"][3]", "\"new\"");
        Meet(ann, bob);
        Assert.Equal("""{"a":{"3":"new"}}""", Same(".m"));
    }

    [Fact]
    public void Owner_delegates_everything_and_control_delegates_up_to_write()
    {
        var (ann, bob) = Two(permission: Permission.Own);
        bob.Grant(People.Cid, Permission.Control);
        Meet(ann, bob);
        var cid = Join(ann, People.Cid);
        Assert.Equal(Reason.GrantRefused, Refusal(cid, author => author.Grant(People.Dan.Card.Actor, Permission.Own)));
        Assert.Equal(Reason.GrantRefused, Refusal(cid, author => author.Grant(People.Dan.Card.Actor, Permission.Control)));
        cid.Grant(People.Dan, Permission.Write);
        var dan = Join(cid, People.Dan);
        Assert.Equal(Reason.GrantRefused, Refusal(dan, author => author.Grant(People.Bob.Card.Actor, Permission.Read)));
        dan.Set(".title", "\"from Dan\"");
        Meet([.. _copies]);
        Assert.Equal("\"from Dan\"", Same(".title"));
    }

    [Fact]
    public void Sync_can_be_given_to_anyone()
    {
        var (ann, bob) = Two();
        ann.Make(author => author.Grant(AnyoneActor.Instance, Permission.Sync));
        Meet(ann, bob);
        Assert.True(bob.Document.Policy.May(People.Dan.Device.Public, Permission.Sync));
        Assert.False(bob.Document.Policy.May(People.Dan.Device.Public, Permission.Read));
    }

    [Fact]
    public void Revocation_ends_the_grant_and_what_its_holder_gives_unseen_and_keeps_what_was_given_before()
    {
        var (ann, bob) = Two(permission: Permission.Control);
        var toBob = ann.Document.Policy.Grants.Single(grant => grant.Permission == Permission.Control).Id;
        var toCid = bob.Grant(People.Cid, Permission.Write);
        ann.Receive(bob);
        ann.Make(author => author.Revoke(toBob));
        var toDan = bob.Grant(People.Dan, Permission.Write);
        Meet(ann, bob);
        foreach (var policy in (PolicyView[])[ann.Document.Policy, bob.Document.Policy])
        {
            Assert.False(policy.Grant(toBob)!.Holds);
            Assert.True(policy.Grant(toCid)!.Holds);
            Assert.Equal(Verdict.Revoked, policy.Grant(toDan)!.Ruling.Verdict);
            Assert.False(policy.May(People.Dan.Device.Public, Permission.Sync));
        }

        Assert.Equal(Reason.NotAuthorised, Assert.Throws<TlfsException>(() => bob.Set(".title", "\"no\"")).Reason);
    }

    /// <summary>Neither through the author, which refuses, nor with statements made by hand, which are void wherever they arrive.</summary>
    [Fact]
    public void Grantee_cannot_revoke_its_granter_nor_the_superior_of_that()
    {
        var (ann, bob) = Two(permission: Permission.Own);
        var toAnn = ann.Document.Log[0].Envelope.Id.Grant;
        var toBob = ann.Document.Policy.Grants.Single(grant => grant.Parent == toAnn).Id;
        var toCid = bob.Grant(People.Cid, Permission.Control);
        Meet(ann, bob);
        var cid = Join(ann, People.Cid);
        Assert.Equal(Reason.NotAuthorised, Refusal(bob, author => author.Revoke(toAnn)));
        foreach (var superior in (GrantId[])[toAnn, toBob])
        {
            Assert.Equal(Reason.NotAuthorised, Refusal(cid, author => author.Revoke(superior)));
            var forged = new Draft(ann.Document.Id, 1, default, [], cid.Document.Statements.Heads, null)
                .SignStatement(People.Cid.Device, new Revoke(superior, toCid, []).Encode());
            using var other = Join(ann, People.Dan);
            foreach (var copy in (Copy[])[other, Join(ann, People.Cid)])
            {
                Assert.Equal(EnvelopeStatus.Void, copy.Receive([forged])[0].Status);
                Assert.True(copy.Document.Policy.Grant(superior)!.Holds);
            }
        }
    }

    /// <summary>Dan sees the removal first and the row go; then he learns that its author had been revoked, and the row is there again.</summary>
    [Fact]
    public void Unauthorised_removal_is_undone()
    {
        var (ann, bob) = Two();
        ann.Grant(People.Dan, Permission.Read);
        ann.Set(".people", """{"Eve":{"age":1},"Fay":{"age":2}}""");
        Meet(ann, bob);
        var dan = Join(ann, People.Dan);
        var removed = bob.Edit(edit => edit.Remove(".people[\"Eve\"]"));
        dan.Receive([removed]);
        Assert.Equal("""{"Fay":{"age":2}}""", dan.Document.ToJson(".people"));

        var toBob = ann.Document.Policy.Grants.Single(grant => grant.Permission == Permission.Write).Id;
        ann.Make(author => author.Revoke(toBob));
        Meet(ann, dan);
        Assert.Equal(Reason.NotAuthorised, dan.OutcomeOf(removed).Reason);
        Assert.Equal("""{"Eve":{"age":1},"Fay":{"age":2}}""", dan.Document.ToJson(".people"));
        Assert.Equal(ann.Document.StateHash, dan.Document.StateHash);
    }

    [Fact]
    public void Transaction_over_many_places_counts_as_a_whole_and_ends_as_a_whole()
    {
        var (ann, bob) = Two();
        ann.Set(".title", "\"before\"");
        Meet(ann, bob);
        var before = ann.Document.StateHash;
        var many = bob.Edit(edit =>
        {
            edit.Set(".title", Json.Parse("\"after\""));
            edit.Insert(".tasks", 0, Json.Parse("""{"title":"t"}"""));
            edit.Set(".people[\"Eve\"].age", Json.Parse("3"));
        });
        ann.Receive([many]);
        Assert.Equal("""{"people":{"Eve":{"age":3}},"tasks":[{"complete":false,"title":"t"}],"title":"after"}""", ann.Document.ToJson());

        var revocation = new Revoke(ann.Document.Policy.Grants.Single(grant => grant.Permission == Permission.Write).Id, ann.Document.Log[0].Envelope.Id.Grant, []);
        ann.Receive([Sign(ann, revocation)]);
        Assert.Equal(Reason.NotAuthorised, ann.OutcomeOf(many).Reason);
        Assert.Equal(before, ann.Document.StateHash);
    }

    [Fact]
    public void Transaction_with_one_refused_edit_does_nothing()
    {
        var (ann, _) = Two();
        var (before, count) = (ann.Document.StateHash, ann.Document.Log.Count);
        var refused = Assert.Throws<TlfsException>(() => ann.Edit(edit =>
        {
            edit.Set(".title", Json.Parse("\"after\""));
            edit.Set(".people[\"Eve\"].age", Json.Parse("\"old\""));
        }));
        Assert.Equal(Reason.TypeMismatch, refused.Reason);
        Assert.Equal((before, count), (ann.Document.StateHash, ann.Document.Log.Count));
        ann.Set(".title", "\"works\"");
    }

    public void Dispose()
    {
        foreach (var copy in _copies) copy.Dispose();
    }

    private (Copy Ann, Copy Bob) Two(LensList? schema = null, Permission permission = Permission.Write)
    {
        var ann = Copy.Begin(People.Ann, 1, schema);
        _copies.Add(ann);
        ann.Grant(People.Bob, permission);
        return (ann, Join(ann, People.Bob));
    }

    private Copy Join(Copy from, AccountKeys who)
    {
        var copy = from.Share(who, 100 + (ulong)_copies.Count);
        _copies.Add(copy);
        return copy;
    }

    private static void Meet(params Copy[] copies)
    {
        for (var round = 0; round < 2; round++)
            for (var i = 1; i < copies.Length; i++)
            {
                copies[0].Receive(copies[i]);
                copies[i].Receive(copies[0]);
            }
    }

    // Ann's and Bob's, which must agree.
    private string Same(string path)
    {
        Assert.Equal(_copies[0].Document.StateHash, _copies[1].Document.StateHash);
        Assert.Equal(_copies[0].Document.ToJson(path), _copies[1].Document.ToJson(path));
        return _copies[0].Document.ToJson(path);
    }

    private static string Titles(string tasks) => string.Concat(Json.Parse(tasks).EnumerateArray().Select(task => task.GetProperty("title").GetString()));

    private static Reason Refusal(Copy copy, Action<DocumentAuthor> make) => Assert.Throws<TlfsException>(() => copy.Make(make)).Reason;

    // A statement of the copy's own device that its author would not make: here a revocation with no cut for what it holds.
    private static Envelope Sign(Copy copy, Statement statement)
    {
        var last = copy.Document.Log.Last(held => held.Envelope.Header.Author == copy.Own.Device.Public).Envelope;
        return new Draft(copy.Document.Id, last.Header.Seq + 1, last.Id, [], copy.Document.Statements.Heads, null).SignStatement(copy.Own.Device, statement.Encode());
    }
}
