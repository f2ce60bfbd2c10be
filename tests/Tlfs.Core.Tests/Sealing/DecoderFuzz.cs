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
    public void F1_Envelopes_survive_hostile_bytes() =>
        Fuzz.Decode<Envelope>(20, Count, [.. Frozen.Envelopes, .. Frozen.Envelopes.Select(Header)], Envelope.TryDecode, envelope => envelope.Bytes.ToArray());

    [Fact]
    public void F1_Headers_survive_hostile_bytes() =>
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
    public void F1_Cards_survive_hostile_bytes()
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
    public void F1_Messages_survive_hostile_bytes() =>
        Fuzz.Decode<SealedMessage>(23, Count, [Frozen.Bytes("message")], SealedMessage.TryDecode, message => message.Bytes.ToArray());

    [Fact]
    public void F1_Invitations_survive_hostile_bytes() =>
        Fuzz.Decode<Invitation>(24, Count, [Frozen.Bytes("invitation")], Invitation.TryDecode, invitation => invitation.Encode());

    [Fact]
    public void F1_Relocations_survive_hostile_bytes() =>
        Fuzz.Decode<Relocation>(26, Count, [RelocationTests.Example.Encode()], Relocation.TryDecode, relocation => relocation.Encode());

    [Fact]
    public void F1_Paths_survive_hostile_bytes()
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
    public void F1_Opened_messages_and_stored_keys_survive_hostile_bytes()
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

    /// <summary>Lengths that promise more than is there make nobody reserve it: a decoder takes memory by what it reads, not by what it is told.</summary>
    [Fact]
    public void F1_No_decoder_allocates_beyond_its_input()
    {
        (string Name, byte[] Good, Action<byte[]> Decode)[] decoders =
        [
            ("envelope", Frozen.Envelopes[0], bytes => Envelope.TryDecode(bytes, out _, out _)),
            ("header", Header(Frozen.Envelopes[^1]), bytes => EnvelopeHeader.TryDecode(bytes, out _, out _)),
            ("body", Body(Frozen.Envelopes[1]), bytes => Core.Policy.Statement.TryDecode(bytes, AccountCard.Verify, out _, out _)),
            ("part", new PartContent(default, [new byte[] { 0x80 }, new byte[] { 0x81, 0 }]).Encode(), bytes => PartContent.TryDecode(bytes, out _, out _)),
            ("operation", new Core.Crdt.Remove(StoragePath.Root, []).Encode(), bytes => Core.Crdt.Operation.TryDecode(bytes, out _, out _)),
        ];
        var entropy = new SeededEntropy(27);
        foreach (var (name, good, decode) in decoders)
        {
            decode(good);
            for (var i = 0; i < 5_000; i++)
            {
                var bytes = i % 2 == 0 ? Fuzz.Mutate(entropy, good) : Promise(entropy, good);
                var before = GC.GetAllocatedBytesForCurrentThread();
                decode(bytes);
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(allocated <= (64 << 10) + (64L * bytes.Length), $"{name}: {allocated} bytes for {bytes.Length}");
            }
        }
    }

    // A head of an array, map or string that claims up to 2^63 items, put somewhere.
    private static byte[] Promise(SeededEntropy entropy, byte[] good)
    {
        var width = entropy.Below(4);
        var head = new byte[1 + (1 << width)];
        entropy.Fill(head);
        head[0] = (byte)((entropy.Below(4) + 2 << 5) | (24 + width));
        if (width == 3) head[1] &= 0x7F;
        var at = entropy.Below(good.Length);
        return [.. good[..at], .. head, .. good[Math.Min(good.Length, at + entropy.Below(3))..]];
    }

    private static byte[] Body(byte[] envelope) =>
        Envelope.TryDecode(envelope, out var decoded, out _) ? decoded.Body.ToArray() : throw new InvalidOperationException("the frozen bytes do not decode");

    private static byte[] Header(byte[] envelope) =>
        Envelope.TryDecode(envelope, out var decoded, out _) ? decoded.HeaderBytes.ToArray() : throw new InvalidOperationException("the frozen bytes do not decode");
}
