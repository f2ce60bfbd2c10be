using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>Beginning with a snapshot (docs/protocol/envelope.md §5).</summary>
public sealed class SnapshotTests
{
    [Fact]
    public void A_new_device_begins_with_the_snapshot_and_what_came_after_and_the_rest_changes_nothing()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            using var ann = History(seed);
            ann.Make(author => author.Snapshot());
            Change(ann, new(seed + 7_000), 5);
            ann.Grant(People.Bob, Permission.Read);
            using var bob = Headers(ann, 7_100 + seed);
            var snapshot = bob.Document.NewestSnapshot()!;
            Assert.Equal(People.Ann.Device.Public, snapshot.Maker);
            var first = bob.Document.Withheld().Where(id => !snapshot.Covered.Contains(id)).ToHashSet();
            bob.Receive(ann.All.Where(envelope => first.Contains(envelope.Id)));
            Assert.True(bob.Document.Withheld().Count() > 30);
            Assert.Equal(ann.Document.ToJson(allValues: true), bob.Document.ToJson(allValues: true));
            Assert.Equal(ann.Document.StateHash, bob.Document.StateHash);
            bob.Receive(ann.All);
            Assert.Empty(bob.Document.Withheld());
            Assert.Equal(ann.Document.StateHash, bob.Document.StateHash);
            Assert.True(bob.Document.IsHonest(snapshot));
        }
    }

    [Fact]
    public void Parts_that_come_in_any_order_after_a_snapshot_lead_to_the_same_state()
    {
        for (ulong seed = 20; seed < 30; seed++)
        {
            using var ann = History(seed);
            ann.Make(author => author.Snapshot());
            ann.Grant(People.Bob, Permission.Write);
            using var bob = Headers(ann, 7_200 + seed);
            var dice = new SeededEntropy(seed);
            foreach (var envelope in ann.All.OrderBy(_ => dice.Below(int.MaxValue)))
            {
                bob.Receive([envelope]);
                if (dice.Below(10) == 0 && bob.Document.CarriedName is not null) bob.Document.ToJson();
            }

            Assert.Equal(ann.Document.StateHash, bob.Document.StateHash);
            Assert.Equal(ann.Document.ToJson(allValues: true), bob.Document.ToJson(allValues: true));
        }
    }

    [Fact]
    public void A_snapshot_whose_maker_lost_the_right_counts_no_longer_and_its_maker_cannot_be_followed()
    {
        using var ann = History(40);
        var grant = ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 7_300);
        ann.Make(author => author.Revoke(grant));
        bob.Make(author => author.Snapshot());
        ann.Receive(bob);
        Assert.Null(ann.Document.NewestSnapshot());
        Assert.All(ann.Document.Log.Where(held => held.Envelope.Header.Type == EnvelopeType.Snapshot), held => Assert.Equal(Reason.NotAuthorised, held.Outcome.Reason));
    }

    [Fact]
    public void P8_a_forged_operation_is_not_taken_from_a_snapshot()
    {
        using var ann = Copy.Begin(People.Ann, 50);
        var written = ann.Set(".title", "\"mine\"");
        ann.Grant(People.Bob, Permission.Write);
        ann.Grant(People.Cid, Permission.Read, fromNow: true);
        using var bob = ann.Share(People.Bob, 7_400);
        using var cid = ann.Share(People.Cid, 7_401);
        var before = cid.Document.ToJson();

        // Bob claims that Ann wrote something else in that envelope.
        var held = bob.Document.Find(written.Id)!;
        var part = held.Parts[0];
        var genuine = ForwardOf(bob, held);
        var forged = genuine with
        {
            Operations = [genuine.Operations[0] with { Bytes = new Put(((Put)bob.Document.ContentOf(held, part).Operations[0]).Path, Value.Of("forged")).Encode() }],
        };
        bob.Make(author => author.SealSnapshot([forged]));
        cid.Receive(bob);
        Assert.Equal(before, cid.Document.ToJson());
        Assert.DoesNotContain("forged", cid.Document.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_snapshot_left_out_or_brought_back_is_found_when_the_parts_themselves_are_there()
    {
        using var ann = Copy.Begin(People.Ann, 60);
        var first = ann.Set(".title", "\"old\"");
        ann.Set(".title", "\"new\"");
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 7_500);
        bob.Make(author => author.SealSnapshot([ForwardOf(bob, bob.Document.Find(first.Id)!)]));
        ann.Receive(bob);
        ann.Grant(People.Cid, Permission.Read);
        using var cid = Headers(ann, 7_501, People.Cid);
        var snapshot = cid.Document.NewestSnapshot()!;
        Assert.Equal(People.Bob.Device.Public, snapshot.Maker);
        cid.Receive(ann.All.Where(envelope => !snapshot.Covered.Contains(envelope.Id)));
        Assert.Equal("\"old\"", cid.Document.ToJson(".title"));
        cid.Receive(ann.All);
        Assert.Equal("\"new\"", cid.Document.ToJson(".title"));
        Assert.False(cid.Document.IsHonest(snapshot));
    }

    private static Copy History(ulong seed)
    {
        var ann = Copy.Begin(People.Ann, 6_000 + seed);
        Change(ann, new(6_100 + seed), 40);
        return ann;
    }

    private static void Change(Copy ann, SeededEntropy dice, int steps)
    {
        for (var step = 0; step < steps; step++)
        {
            ann.Edit(edit =>
            {
                switch (dice.Below(6))
                {
                    case 0: edit.Set(".title", Json.Parse($"\"{step}\"")); break;
                    case 1: edit.Set($".people[\"p{dice.Below(4)}\"].age", Json.Parse($"{step}")); break;
                    case 2: edit.Set(".people[\"gone\"]", Json.Parse($$"""{"age":{{step}}}""")); edit.Remove(".people[\"gone\"]"); edit.Set(".title", Json.Parse("\"x\"")); break;
                    case 3: edit.Insert(".tasks", 0, Json.Parse("{}")); edit.Insert(".tasks", 0, Json.Parse("{}")); edit.Move(".tasks", 0, 1); break;
                    case 4: edit.Insert(".tasks", 0, Json.Parse("""{"complete":true}""")); edit.Remove(".tasks[0]"); edit.Set(".title", Json.Parse("\"y\"")); break;
                    default: edit.Insert(".tasks", 0, Json.Parse($$"""{"title":"t{{step}}","complete":true}""")); break;
                }
            });
        }
    }

    private static Copy Headers(Copy of, ulong seed, AccountKeys? own = null)
    {
        var copy = new Copy(own ?? People.Bob, of.Document.Id, seed);
        copy.Receive(of.All.Select(envelope => envelope.Without(_ => true)));
        return copy;
    }

    private static Forward ForwardOf(Copy copy, HeldEnvelope held)
    {
        Assert.True(PartContent.TryOpen(held.Envelope, 0, copy.Document.KeyOf(held.Parts[0], out _)!, out var content, out _));
        return content.Forward(held.Envelope, 0, copy.Document.KeyOf(held.Parts[0], out _)!, [0]);
    }
}
