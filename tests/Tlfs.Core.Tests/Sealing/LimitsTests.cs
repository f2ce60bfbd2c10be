using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Tlfs.Core.Tests.Regressions;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>What docs/protocol/encoding.md §6 limits is accepted at the limit and refused one past it.</summary>
public sealed class LimitsTests
{
    [Fact]
    public void Deps() => Check(Limits.Deps, count => Header(deps: Ids(count)));

    [Fact]
    public void Auth() => Check(Limits.Auth, count => Header(auth: Ids(count)));

    [Fact]
    public void Parts() => Check(Limits.Parts, count => Header(parts: count));

    [Fact]
    public void Body() => Check(Limits.BodyBytes, count => EnvelopeHeader.TryDecode(
        new EnvelopeHeader(EnvelopeType.Policy, default, default, 1, default, [], [], null, [], count, default).Encode(), out _, out _));

    [Fact]
    public void Operations_in_a_part()
    {
        using var ann = Copy.Begin(People.Ann, 160);
        var nothing = new Remove(StoragePath.Root, []).Encode();
        Check(Limits.Operations, count =>
            ann.OutcomeOf(ann.Write(new(Schemas.Tour.Hash, [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(nothing, count)]))).Status == EnvelopeStatus.Applied);
    }

    [Fact]
    public void Openings_and_forwards_in_a_part()
    {
        Check(Limits.Openings, count => Decodes(new PartContent(default, []) { Openings = [.. Ids(count).Select(id => new Opening(id.Grant, default, StoragePath.Root))] }));
        Check(Limits.Forwards, count => Decodes(new PartContent(default, []) { Forwards = [.. Numbered(count).Select(id => Forward(id, 1))] }));
        Check(Limits.Operations, count => Decodes(new PartContent(default, []) { Forwards = [Forward(default, count)] }));
        Check(Limits.Operations, count => Decodes(new PartContent(default, []) { Forwards = [Forward(default, count - 1), Forward(Ids(1)[0], 1)] }));
    }

    [Fact]
    public void Zones_and_envelopes_of_a_snapshot()
    {
        Check(Limits.Zones + 1, count => Decodes(new SnapshotBody(0, 1, [.. Numbered(count).Select(id => new ZoneId(id.Value.ToArray().AsSpan(..ZoneId.Size)))])));
        Check(Limits.SnapshotEnvelopes, count => Decodes(new SnapshotBody(count - 1, count, [ZoneId.Root])));
    }

    [Fact]
    public void Dots_in_a_remove() => Check(Limits.DotsPerRemove, count =>
        Decodes(new Remove(StoragePath.Root, [.. Enumerable.Range(0, count).Select(index => new Dot(default, 0, (uint)index))])));

    [Fact]
    public void Segments_of_a_path() => Check(Limits.PathSegments, count => Decodes(Enumerable.Repeat(Segment.Of(true), count)));

    [Fact]
    public void Bytes_of_a_path()
    {
        // Three keys of 256 bytes and a tag and length of three make 777; the last key fills up.
        var full = Enumerable.Repeat(Segment.Of(new byte[Limits.KeyBytes]), 3).ToArray();
        var rest = Limits.PathBytes - full.Sum(segment => segment.EncodedBytes) - 3;
        Check(rest, count => Decodes([.. full, Segment.Of(new byte[count])]));
    }

    [Fact]
    public void Bytes_of_a_key()
    {
        foreach (var kind in (byte[])[(byte)SegmentKind.StringKey, (byte)SegmentKind.BytesKey])
            Check(Limits.KeyBytes, count => Segment.TryRead([kind, (byte)(count >> 8), (byte)(count & 0xFF), .. new byte[count]], out _, out _));
    }

    [Fact]
    public void Bytes_of_a_position() => Check(Limits.PositionBytes, count => Position.TryFrom([.. new byte[count - 1], 1], out _));

    [Fact]
    public void Bytes_of_a_note() => Check(Limits.NoteBytes, count =>
        Invitation.TryDecode(new Invitation(default, [], default, "s", new('n', count), [], []).Encode(), out _, out _));

    [Fact]
    public void Bytes_of_a_card_are_counted_first() => CheckSize(Limits.CardBytes, bytes => Reason(AccountCard.TryDecode(bytes, out _, out var error), error));

    [Fact]
    public void Bytes_of_a_message_are_counted_first() => CheckSize(Limits.MessageBytes, bytes => Reason(SealedMessage.TryDecode(bytes, out _, out var error), error));

    [Fact]
    public void Bytes_of_an_envelope_are_counted_first() => CheckSize(Limits.EnvelopeBytes, bytes => Reason(Envelope.TryDecode(bytes, out _, out var error), error));

    [Fact]
    public void Bytes_of_a_header_are_counted_first() => CheckSize(Limits.HeaderBytes, bytes => Reason(EnvelopeHeader.TryDecode(bytes, out _, out var error), error));

    private static void Check(int limit, Func<int, bool> accepts)
    {
        Assert.True(accepts(limit));
        Assert.False(accepts(limit + 1));
    }

    private static void CheckSize(int limit, Func<byte[], Reason> refusal)
    {
        Assert.Equal(Core.Reason.Malformed, refusal(new byte[limit]));
        Assert.Equal(Core.Reason.TooLarge, refusal(new byte[limit + 1]));
    }

    private static Reason Reason(bool accepted, DecodeError error) => accepted ? Core.Reason.Internal : error.Reason;

    private static EnvelopeId[] Ids(int count) => [.. Enumerable.Range(1, count).Select(i => new EnvelopeId(new([(byte)i, .. new byte[31]])))];

    private static IEnumerable<EnvelopeId> Numbered(int count) => Enumerable.Range(1, count).Select(i => new EnvelopeId(new([(byte)(i >> 8), (byte)(i & 0xFF), .. new byte[30]])));

    private static Forward Forward(EnvelopeId envelope, int count) =>
        new(envelope, 0, default, Math.Min(count, Limits.Operations), [.. Enumerable.Range(0, count).Select(i => new ForwardedOperation(i, default, new byte[] { 0x80 }))], []);

    private static bool Decodes(PartContent content) => PartContent.TryDecode(content.Encode(), out _, out _);

    private static bool Decodes(SnapshotBody body) => SnapshotBody.TryDecode(body.Encode(), out _, out _);

    private static bool Header(EnvelopeId[]? deps = null, EnvelopeId[]? auth = null, int parts = 0)
    {
        PartHeader[] sealedParts = [.. Enumerable.Range(0, parts).Select(i => new PartHeader(new([(byte)i, .. new byte[15]]), default, 300, default, default))];
        var header = new EnvelopeHeader(EnvelopeType.Delta, default, default, 1, default, deps ?? [], auth ?? [], null, sealedParts, 0, default);
        return EnvelopeHeader.TryDecode(header.Encode(), out _, out _);
    }

    private static bool Decodes(Operation operation) => Operation.TryDecode(operation.Encode(), out _, out _);

    private static bool Decodes(IEnumerable<Segment> segments)
    {
        var bytes = new List<byte>();
        Span<byte> buffer = stackalloc byte[Limits.KeyBytes + 3];
        foreach (var segment in segments) bytes.AddRange(buffer[..segment.Write(buffer)]);
        return StoragePath.TryDecode(bytes.ToArray(), out _, out _);
    }
}
