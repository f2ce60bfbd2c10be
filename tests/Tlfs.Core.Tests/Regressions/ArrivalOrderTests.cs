using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Regressions;

/// <summary>A document is a function of the set of envelopes held: one that lived through their arrival equals one that is loaded anew.</summary>
public sealed class ArrivalOrderTests
{
    [Fact]
    public void A_forged_signature_does_not_keep_the_true_envelope_out()
    {
        using var ann = Copy.Begin(People.Ann, 100);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 101);
        var (cause, effect) = (ann.Set(".title", "\"one\""), ann.Set(".title", "\"two\""));
        var bytes = effect.Bytes.ToArray();
        bytes[effect.HeaderBytes.Length] ^= 1;
        Assert.True(Core.Sealing.Envelope.TryDecode(bytes, out var forged, out _) && forged.Id == effect.Id);
        Assert.Equal(Outcome.Invalid(Reason.BadSignature), bob.Document.Receive(forged!));
        bob.Receive([effect]);
        bob.Receive([cause]);
        Assert.Equal(Outcome.Applied, bob.Document.Find(effect.Id)?.Outcome);
    }

    [Fact]
    public void What_was_sealed_under_an_epoch_whose_rotation_is_void_waits_for_a_key()
    {
        using var ann = Copy.Begin(People.Ann, 102);
        var grant = ann.Grant(People.Bob, Permission.Write);
        ann.Grant(People.Cid, Permission.Own);
        using var bob = ann.Share(People.Bob, 103);
        using var cid = ann.Share(People.Cid, 104);
        var rotation = bob.Rotate(105, People.Ann, People.Bob, People.Cid);
        ann.Receive([rotation]);
        var under = ann.Set(".title", "\"under Bob's epoch\"");
        Assert.Equal(rotation.Id, under.Header.Parts[0].Epoch);
        ann.Receive(cid.Make(author => author.Revoke(grant)));
        Assert.Equal(Outcome.KeyMissing(Reason.KeyMissing), ann.OutcomeOf(under));
        AssertReloads(ann);
    }

    [Fact]
    public void A_key_that_came_in_a_wrap_that_is_void_is_not_held()
    {
        using var ann = Copy.Begin(People.Ann, 106);
        var grant = ann.Grant(People.Bob, Permission.Write);
        ann.Grant(People.Cid, Permission.Own);
        using var cid = ann.Share(People.Cid, 107);
        ann.State(new Grant(People.Dan.Card.Actor, Permission.Read, Ids.ZoneId.Root, ann.Document.Log[0].Envelope.Id.Grant));
        using var bob = ann.Share(People.Bob, 108);
        Assert.Single(bob.Make(author => author.WrapMissing()));
        using var dan = bob.Share(People.Dan, 109);
        Assert.False(dan.Document.IsLocked);
        dan.Receive(cid.Make(author => author.Revoke(grant)));
        AssertReloads(dan);
        ann.Receive(dan);
        Assert.NotEmpty(ann.Make(author => author.WrapMissing()));
        dan.Receive(ann);
        Assert.False(dan.Document.IsLocked);
        Assert.Equal(ann.Document.StateHash, dan.Document.StateHash);
    }

    [Fact]
    public void A_schema_that_a_void_part_carries_is_known_whether_the_key_came_before_or_after()
    {
        using var ann = Copy.Begin(People.Ann, 110);
        var grant = ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 111);
        ann.Make(author => author.Revoke(grant));
        ann.Receive([bob.Write(new(Schemas.Everything.Hash, [new SchemaOperation(new(1, 0, 0), Schemas.Everything).Encode()]))]);
        var named = ann.Write(new(Schemas.Everything.Hash, []));
        Assert.Equal(Outcome.Applied, ann.OutcomeOf(named));
        ann.State(new Grant(People.Cid.Card.Actor, Permission.Read, Ids.ZoneId.Root, ann.Document.Log[0].Envelope.Id.Grant));
        using var cid = ann.Share(People.Cid, 112);
        cid.Receive(ann.Make(author => author.WrapMissing()));
        Assert.Equal(Outcome.Applied, cid.OutcomeOf(named));
        AssertReloads(cid);
    }

    [Fact]
    public void A_cut_is_judged_again_when_the_envelope_at_its_number_arrives()
    {
        using var ann = Copy.Begin(People.Ann, 113);
        var grant = ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 114);
        var (first, second) = (bob.Set(".title", "\"one\""), bob.Set(".title", "\"two\""));
        ann.Receive([first]);
        ann.State(new Revoke(grant, ann.Document.Log[0].Envelope.Id.Grant, [new(People.Bob.Device.Public, 2, first.Id)]));
        Assert.Equal(Outcome.Applied, ann.OutcomeOf(first));
        ann.Receive([second]);
        AssertReloads(ann);
    }

    private static void AssertReloads(Copy copy)
    {
        using var again = copy.Reload();
        Assert.Equal(again.Outcomes(), copy.Outcomes());
        Assert.Equal(again.Document.StateHash, copy.Document.StateHash);
    }
}
