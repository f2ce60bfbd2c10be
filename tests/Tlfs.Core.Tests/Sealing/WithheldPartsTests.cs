using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>docs/protocol/envelope.md §1.5: an envelope without some of its parts is the same envelope, and takes them back later.</summary>
public sealed class WithheldPartsTests
{
    [Fact]
    public void Any_parts_can_be_withheld_and_come_later()
    {
        using var dice = new SealedDice(60);
        using var key = SecretKey.Random(dice.Entropy);
        for (var round = 0; round < 300; round++)
        {
            var whole = dice.Envelope(dice.Below(7), key);
            var withheld = whole.Header.Parts.Where(_ => dice.Below(2) == 0).ToHashSet();
            var some = Stored(whole.Without(withheld.Contains));
            var rest = Stored(whole.Without(part => !withheld.Contains(part)));
            CheckPresence(whole, some, withheld);
            CheckPresence(whole, rest, [.. whole.Header.Parts.Where(part => !withheld.Contains(part))]);
            foreach (var joined in (Envelope[])[some.With(rest), rest.With(some), some.With(whole), whole.With(some)])
            {
                Assert.True(joined.IsWhole);
                Assert.Equal(whole.Bytes.ToArray(), joined.Bytes.ToArray());
            }

            Assert.True(Envelope.TryDecodePartial(some.Head, [.. Enumerable.Range(0, some.Header.Parts.Count).Select(Part)], out var again, out _));
            Assert.Equal((some.Id, some.Present), (again.Id, again.Present));
            Assert.Equal(some.Bytes.ToArray(), again.Bytes.ToArray());
            ReadOnlyMemory<byte>? Part(int i) => some.Has(i) ? some.Part(i) : default(ReadOnlyMemory<byte>?);
        }
    }

    [Fact]
    public void What_is_there_opens_under_its_own_index()
    {
        using var dice = new SealedDice(61);
        using var key = SecretKey.Random(dice.Entropy);
        var whole = dice.Envelope(64, key);
        Assert.Equal(ulong.MaxValue, whole.Present);
        var odd = Stored(whole.Without(part => whole.Header.Parts.ToList().IndexOf(part) % 2 == 0));
        for (var i = 1; i < 64; i += 2)
        {
            Assert.True(PartContent.TryOpen(odd, i, key, out var content, out _));
            Assert.True(PartContent.TryOpen(whole, i, key, out var same, out _));
            Assert.Equal(same.Encode(), content.Encode());
        }
    }

    [Fact]
    public void A_wrong_part_mask_or_length_is_refused()
    {
        using var dice = new SealedDice(62);
        using var key = SecretKey.Random(dice.Entropy);
        var whole = dice.Envelope(3, key);
        var first = whole.Without(part => part != whole.Header.Parts[0]);
        Assert.False(Envelope.TryDecode(first.Bytes, out _, out var error));
        Assert.Equal(Reason.Malformed, error.Reason);
        Assert.False(Envelope.TryDecode(first.Bytes, 0b1001, out _, out error));
        Assert.Equal(Reason.Malformed, error.Reason);
        Assert.False(Envelope.TryDecodePartial(whole.Head, [whole.Part(0), null], out _, out error));
        Assert.Equal(Reason.Malformed, error.Reason);
        Assert.False(Envelope.TryDecodePartial(whole.Head, [whole.Part(0)[1..], null, null], out _, out error));
        Assert.Equal(Reason.Malformed, error.Reason);
        var changed = whole.Part(1).ToArray();
        changed[^1] ^= 1;
        Assert.False(Envelope.TryDecodePartial(whole.Head, [null, changed, null], out _, out error));
        Assert.Equal(Reason.PartHash, error.Reason);
        Assert.Throws<InvalidOperationException>(() => first.Part(1));
        Assert.Throws<ArgumentException>(() => whole.With(dice.Envelope(3, key)));
    }

    [Fact]
    public void An_envelope_that_is_too_large_whole_is_refused_without_its_parts()
    {
        using var dice = new SealedDice(63);
        PartHeader[] parts = [.. dice.Zones(2).Select(zone => new PartHeader(zone, default, (Limits.EnvelopeBytes / 2) + 1, default, default))];
        var header = new EnvelopeHeader(EnvelopeType.Delta, default, dice.Author.Public, 1, default, [], [], null, parts, 0, default).Encode();
        byte[] head = [.. header, .. dice.Author.Sign(Label.EnvSig, Hashing.Hash(Label.Env, header)), 0, 0, 0, 0];
        Assert.False(Envelope.TryDecode(head, 0, out _, out var error));
        Assert.Equal(Reason.TooLarge, error.Reason);
    }

    [Fact]
    public void A_snapshot_has_a_body_and_parts()
    {
        using var dice = new SealedDice(64);
        using var key = SecretKey.Random(dice.Entropy);
        var body = new SnapshotBody(1, 2, dice.Zones(3));
        var snapshot = Stored(dice.Envelope(2, key, body));
        Assert.True(SnapshotBody.TryDecode(snapshot.Body, out var decoded, out _));
        Assert.Equal(body, decoded);
        Assert.True(PartContent.TryOpen(snapshot, 1, key, out _, out _));
        Assert.False(EnvelopeHeader.TryDecode((snapshot.Header with { Parts = [] }).Encode(), out _, out _));
        Assert.False(EnvelopeHeader.TryDecode((snapshot.Header with { BodyLength = 0 }).Encode(), out _, out _));
        Assert.False(EnvelopeHeader.TryDecode((snapshot.Header with { Type = EnvelopeType.Delta }).Encode(), out _, out _));
        foreach (var wrong in (SnapshotBody[])[body with { Index = 2 }, body with { Zones = [] }, body with { Zones = [.. body.Zones.Reverse()] }])
            Assert.False(SnapshotBody.TryDecode(wrong.Encode(), out _, out _));
    }

    private static void CheckPresence(Envelope whole, Envelope some, HashSet<PartHeader> withheld)
    {
        Assert.Equal(whole.Id, some.Id);
        Assert.True(some.VerifySignature());
        Assert.Equal(withheld.Count == 0, some.IsWhole);
        Assert.Equal(whole.Head.ToArray(), some.Head.ToArray());
        Assert.False(some.Has(-1) || some.Has(whole.Header.Parts.Count));
        for (var i = 0; i < whole.Header.Parts.Count; i++)
        {
            Assert.Equal(!withheld.Contains(whole.Header.Parts[i]), some.Has(i));
            if (some.Has(i)) Assert.Equal(whole.Part(i).ToArray(), some.Part(i).ToArray());
        }
    }

    private static Envelope Stored(Envelope envelope) =>
        Envelope.TryDecode(envelope.Bytes.ToArray(), envelope.Present, out var decoded, out var error) ? decoded : throw new InvalidOperationException(error.Detail);
}
