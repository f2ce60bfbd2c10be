using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>The outcomes of docs/protocol/envelope.md §3, one by one.</summary>
public sealed class PipelineTests
{
    [Fact]
    public void P1_Every_flipped_byte_of_an_envelope_is_rejected()
    {
        using var ann = Copy.Begin(People.Ann, 30);
        ann.Grant(People.Bob, Permission.Write);
        ann.Set(".title", "\"flip me\"");
        for (var length = 1; length < ann.Document.Log.Count; length++)
        {
            using var bob = new Copy(People.Bob, ann.Document.Id, 31);
            bob.Receive(ann.All.Take(length));
            var original = ann.Document.Log[length].Envelope;
            var hash = bob.Document.StateHash;
            for (var i = 0; i < original.Bytes.Length; i++)
            {
                var bytes = original.Bytes.ToArray();
                bytes[i] ^= (byte)(1 << (i % 8));
                if (Envelope.TryDecode(bytes, out var flipped, out _)) Assert.False(bob.Document.Receive(flipped).IsHeld, $"byte {i}");
            }

            Assert.Equal(hash, bob.Document.StateHash);
            Assert.True(bob.Receive([original])[0].IsHeld);
        }
    }

    [Fact]
    public void Causes_may_come_after_effects()
    {
        using var ann = Copy.Begin(People.Ann, 32);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = new Copy(People.Bob, ann.Document.Id, 33);
        var reversed = ann.All.Reverse().ToArray();
        Assert.All(reversed[..^1], envelope => Assert.Equal(EnvelopeStatus.Pending, bob.Receive([envelope])[0].Status));
        Assert.Equal(Outcome.Applied, bob.Receive([reversed[^1]])[0]);
        Assert.Equal(0, bob.Document.PendingCount);
        Assert.Equal(ann.Document.ToJson(), bob.Document.ToJson());
    }

    [Fact]
    public void An_envelope_of_another_document_is_invalid()
    {
        using var ann = Copy.Begin(People.Ann, 34);
        using var other = Copy.Begin(People.Ann, 35);
        Assert.Equal(Outcome.Invalid(Reason.WrongDocument), ann.Document.Receive(other.Document.Log[0].Envelope));
    }

    [Fact]
    public void A_second_envelope_with_the_same_number_is_equivocation()
    {
        using var ann = Copy.Begin(People.Ann, 36);
        using var twin = new Copy(People.Ann, ann.Document.Id, 37);
        twin.Receive(ann.All);
        ann.Set(".title", "\"one\"");
        var second = twin.Set(".title", "\"two\"");
        Assert.Equal(Outcome.Invalid(Reason.Equivocation), ann.Receive([second])[0]);
    }

    [Fact]
    public void P1_Parts_exchanged_between_envelopes_and_documents_are_never_applied()
    {
        using var ann = Copy.Begin(People.Ann, 48);
        using var other = Copy.Begin(People.Ann, 49);
        Envelope[] deltas = [ann.Set(".title", "\"one\""), ann.Set(".title", "\"two\""), other.Set(".title", "\"three\""), other.Set(".title", "\"four\"")];
        foreach (var target in deltas)
        {
            var home = target.Header.Document == ann.Document.Id ? ann : other;
            using var reader = new Copy(People.Ann, home.Document.Id, 47);
            reader.Receive(home.All.TakeWhile(envelope => envelope.Id != target.Id));
            var hash = reader.Document.StateHash;
            foreach (var part in deltas.Where(delta => delta.Id != target.Id).Select(delta => delta.Part(0)))
            {
                // By anybody on the way: the header names another hash. By the author itself, who signs: the part does not open here.
                byte[] swapped = [.. target.Bytes.Span[..^target.Part(0).Length], .. part.Span];
                Assert.False(Envelope.TryDecode(swapped, out _, out var error));
                Assert.Equal(Reason.PartHash, error.Reason);
                var parts = target.Header.Parts[0] with { Length = part.Length, Hash = Hashing.Hash(Label.Chash, part.Span) };
                using var one = new Copy(People.Ann, home.Document.Id, 47);
                one.Receive(home.All.TakeWhile(envelope => envelope.Id != target.Id));
                var signed = Envelope.Sign(People.Ann.Device, target.Header with { Parts = [parts] }, default, [part.ToArray()]);
                Assert.Equal(Outcome.Void(Reason.Unsealable), one.Document.Receive(signed));
                Assert.Equal(hash, one.Document.StateHash);
            }

            Assert.Equal(Outcome.Applied, reader.Receive([target])[0]);
        }
    }

    [Fact]
    public void A_part_moved_to_another_envelope_does_not_open()
    {
        using var ann = Copy.Begin(People.Ann, 38);
        var first = ann.Set(".title", "\"one\"");
        var tail = new Draft(ann.Document.Id, first.Header.Seq + 1, first.Id, [], first.Header.Auth, null);
        var header = new EnvelopeHeader(
            EnvelopeType.Delta, tail.Document, ann.Own.Device.Public, tail.Seq, tail.Prev, [], first.Header.Auth, null, first.Header.Parts, 0, default);
        var moved = Envelope.Sign(ann.Own.Device, header, default, [first.Part(0).ToArray()]);
        Assert.Equal(Outcome.Void(Reason.Unsealable), ann.Document.Receive(moved));
    }

    [Fact]
    public void Malformed_parts_are_void_for_everybody_and_harm_nothing()
    {
        using var ann = Copy.Begin(People.Ann, 40);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 41);
        var schema = Schemas.Tour.Hash;
        var misfit = new Core.Crdt.Put(Paths.StoragePath.Root, Core.Crdt.Value.True).Encode();
        Assert.Equal(Reason.SchemaMismatch, Write(ann, bob, new(schema, [misfit])));
        Assert.Equal(Reason.SchemaUnknown, Write(ann, bob, new(default, [misfit])));
        Assert.Equal(Reason.BadOperations, Write(ann, bob, new(schema, [new byte[] { 0x80 }])));
        var carrier = new Core.Crdt.SchemaOperation(new(9, 0, 0), Schemas.Everything).Encode();
        Assert.Equal(Reason.BadOperations, Write(ann, bob, new(schema, [carrier, carrier])));
        bob.Set(".title", "\"still alive\"");
        Assert.Equal(Outcome.Applied, ann.Receive(bob)[^1]);
        Assert.Equal(ann.Document.StateHash, bob.Document.StateHash);
    }

    [Fact]
    public void A_schema_that_arrives_late_lifts_the_void()
    {
        using var ann = Copy.Begin(People.Ann, 42);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 43);
        var early = Part(bob, new(Schemas.Everything.Hash, []));
        ann.Document.Receive(early);
        Assert.Equal(Outcome.Void(Reason.SchemaUnknown), ann.OutcomeOf(early));
        var carrier = new Core.Crdt.SchemaOperation(new(1, 0, 0), Schemas.Everything).Encode();
        ann.Document.Receive(Part(ann, new(Schemas.Everything.Hash, [carrier])));
        Assert.Equal(Outcome.Applied, ann.OutcomeOf(early));
    }

    [Fact]
    public void Auth_that_forgets_what_was_evaluated_is_invalid()
    {
        using var ann = Copy.Begin(People.Ann, 44);
        ann.Grant(People.Bob, Permission.Write);
        var last = ann.Document.Log[^1].Envelope;
        var forgetful = new Draft(ann.Document.Id, last.Header.Seq + 1, last.Id, [], [ann.Document.Log[0].Envelope.Id], null)
            .SignStatement(ann.Own.Device, new Renounce(ann.Document.Log[0].Envelope.Id.Grant).Encode());
        Assert.Equal(Outcome.Invalid(Reason.ChainBroken), ann.Document.Receive(forgetful));
    }

    [Fact]
    public void A_part_in_another_zone_is_void()
    {
        using var ann = Copy.Begin(People.Ann, 46);
        var last = ann.Set(".title", "\"one\"");
        var zone = new ZoneId([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        var part = new byte[Aead.Overhead + 256];
        var header = new EnvelopeHeader(
            EnvelopeType.Delta, ann.Document.Id, ann.Own.Device.Public, last.Header.Seq + 1, last.Id, [], last.Header.Auth, null,
            [new(zone, last.Header.Parts[0].Epoch, part.Length, Hashing.Hash(Label.Chash, part), default)], 0, default);
        Assert.Equal(Outcome.Void(Reason.OutsideZone), ann.Document.Receive(Envelope.Sign(ann.Own.Device, header, default, [part])));
    }

    private static Envelope Part(Copy by, PartContent content)
    {
        var last = by.Document.Log.LastOrDefault(held => held.Envelope.Header.Author == by.Own.Device.Public)?.Envelope;
        var newest = by.Document.Log[^1].Envelope;
        var auth = by.Document.Statements.Heads;
        var epoch = by.Document.Log.Last(held => held.Statement?.Body is Rotate).Envelope.Id;
        var draft = new Draft(by.Document.Id, (last?.Header.Seq ?? 0) + 1, last?.Id ?? default, newest.Header.Author == by.Own.Device.Public ? [] : [newest.Id], [.. auth], null);
        return draft.SealDelta(by.Own.Device, new SeededEntropy(7), epoch, by.Document.Keyring.ContentKey(ZoneId.Root, epoch, out _)!, content);
    }

    private static Reason Write(Copy by, Copy reader, PartContent content)
    {
        var envelope = Part(by, content);
        var mine = by.Document.Receive(envelope);
        var theirs = reader.Receive([envelope])[0];
        Assert.Equal(mine, theirs);
        Assert.Equal(EnvelopeStatus.Void, mine.Status);
        return mine.Reason!.Value;
    }
}
