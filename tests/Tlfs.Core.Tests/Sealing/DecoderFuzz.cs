using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Golden;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>Every decoder of sealed things against random and changed bytes: nothing throws, and what is accepted encodes to itself.</summary>
public sealed class DecoderFuzz
{
    private const int Count = 100_000;

    [Fact]
    public void Envelopes_survive_hostile_bytes() =>
        Fuzz.Decode<Envelope>(20, Count, [.. Frozen.Envelopes, .. Frozen.Envelopes.Select(Header)], Envelope.TryDecode, envelope => envelope.Bytes.ToArray());

    [Fact]
    public void Headers_survive_hostile_bytes() =>
        Fuzz.Decode<EnvelopeHeader>(21, Count, [.. Frozen.Envelopes.Select(Header)], EnvelopeHeader.TryDecode, header => header.Encode());

    [Fact]
    public void Envelopes_with_withheld_parts_survive_hostile_bytes()
    {
        using var dice = new SealedDice(27);
        using var key = SecretKey.Random(dice.Entropy);
        foreach (var present in (ulong[])[0, 0b101])
        {
            var whole = dice.Envelope(4, key, new(0, 1, dice.Zones(4)));
            var some = whole.Without(part => (present >> whole.Header.Parts.ToList().IndexOf(part) & 1) == 0);
            byte[][] good = [some.Bytes.ToArray(), whole.Bytes.ToArray()];
            Fuzz.Decode<Envelope>(
                28, Count / 10, good,
                (ReadOnlyMemory<byte> bytes, out Envelope? decoded, out Core.Encoding.DecodeError error) => Envelope.TryDecode(bytes, present, out decoded, out error),
                decoded => decoded.Bytes.ToArray());
        }
    }

    [Fact]
    public void Snapshot_bodies_survive_hostile_bytes()
    {
        using var dice = new SealedDice(29);
        Fuzz.Decode<SnapshotBody>(
            30, Count / 4, [new SnapshotBody(0, 1, dice.Zones(1)).Encode(), new SnapshotBody(300, 4_096, dice.Zones(30)).Encode()], SnapshotBody.TryDecode, body => body.Encode());
    }

    [Fact]
    public void Contents_of_parts_survive_hostile_bytes()
    {
        using var dice = new SealedDice(31);
        PartContent[] good = [.. Enumerable.Range(0, 30).Select(_ => dice.Content())];
        Fuzz.Decode<PartContent>(32, Count / 2, [.. good.Select(content => content.Encode())], PartContent.TryDecode, content => content.Encode());
        foreach (var content in good)
        {
            Assert.True(PartContent.TryDecode(content.Encode(), out var again, out _));
            Assert.Equal((content.Openings, content.Forwards), (again.Openings, again.Forwards), Same);
            foreach (var forward in again.Forwards) OperationTree.TryRoot(forward, out _);
        }

        static bool Same((IReadOnlyList<Opening> Openings, IReadOnlyList<Forward> Forwards) a, (IReadOnlyList<Opening> Openings, IReadOnlyList<Forward> Forwards) b) =>
            a.Openings.SequenceEqual(b.Openings) && a.Forwards.SequenceEqual(b.Forwards);
    }

    [Fact]
    public void Cards_survive_hostile_bytes()
    {
        var good = Frozen.Bytes("account-a-card");
        var entropy = new SeededEntropy(22);
        for (var i = 0; i < Count; i++)
        {
            var bytes = Fuzz.Mutate(entropy, good);
            if (AccountCard.TryDecode(bytes, out _, out _)) Assert.Equal(good, bytes);
        }
    }

    [Fact]
    public void Messages_survive_hostile_bytes() =>
        Fuzz.Decode<SealedMessage>(23, Count, [Frozen.Bytes("message")], SealedMessage.TryDecode, message => message.Bytes.ToArray());

    [Fact]
    public void Invitations_survive_hostile_bytes() =>
        Fuzz.Decode<Invitation>(24, Count, [Frozen.Bytes("invitation")], Invitation.TryDecode, invitation => invitation.Encode());

    [Fact]
    public void Paths_survive_hostile_bytes()
    {
        var path = StoragePath.Of([
            Segment.Of(new Core.Ids.FieldId(7)), Segment.Of(true), Segment.Of(5UL), Segment.Of(-5L), Segment.Of("ключ"), Segment.Of([1, 2, 3]), Segment.Of(new Core.Ids.Uid(9)),
        ]);
        Fuzz.Decode<StoragePath>(
            25, Count, [path.Bytes.ToArray()],
            (ReadOnlyMemory<byte> bytes, out StoragePath? decoded, out Core.Encoding.DecodeError error) => StoragePath.TryDecode(bytes.Span, out decoded, out error),
            decoded => decoded.Bytes.ToArray());
    }

    [Fact]
    public void Opened_messages_and_stored_keys_survive_hostile_bytes()
    {
        var entropy = new SeededEntropy(26);
        var keys = Frozen.Bytes("account-b-keys");
        Assert.True(AccountKeys.TryDecode(keys, out var own));
        using (own)
        {
            Assert.True(SealedMessage.TryDecode(Frozen.Bytes("message"), out var good, out _) && good.TryOpen(own!, out var content) && content.Type == Invitation.MessageType);
            for (var i = 0; i < 2_000; i++)
            {
                if (SealedMessage.TryDecode(Fuzz.Mutate(entropy, Frozen.Bytes("message")), out var message, out _)) Assert.False(message.TryOpen(own!, out _) && message.Id != good.Id);
                if (AccountKeys.TryDecode(Fuzz.Mutate(entropy, keys), out var changed)) changed!.Dispose();
            }
        }
    }

    private static byte[] Header(byte[] envelope) =>
        Envelope.TryDecode(envelope, out var decoded, out _) ? decoded.HeaderBytes.ToArray() : throw new InvalidOperationException("the frozen bytes do not decode");
}
