using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>Random sealed things. Operations are any canonical bytes here: what is in them is not looked at by sealing.</summary>
internal sealed class SealedDice(ulong seed) : IDisposable
{
    public SeededEntropy Entropy { get; } = new(seed);

    public SigningKey Author { get; } = SigningKey.Generate(new SeededEntropy(seed + 1_000_000));

    public int Below(int limit) => Entropy.Below(limit);

    public Bytes32 Bytes32() => new(Entropy.Bytes(Core.Ids.Bytes32.Size));

    public Salt Salt() => new(Entropy.Bytes(Core.Ids.Salt.Size));

    /// <summary>A byte string of up to 23 bytes, as CBOR.</summary>
    public ReadOnlyMemory<byte> Operation()
    {
        var length = Below(24);
        return (byte[])[(byte)(0x40 | length), .. Entropy.Bytes(length)];
    }

    public ReadOnlyMemory<byte>[] Operations(int count) => [.. Enumerable.Range(0, count).Select(_ => Operation())];

    /// <summary>An ascending subset with at least one item.</summary>
    public int[] Some(int count)
    {
        var share = 1 + Below(8);
        int[] some = [.. Enumerable.Range(0, count).Where(_ => Below(share) == 0)];
        return some.Length > 0 ? some : [Below(count)];
    }

    public ZoneId[] Zones(int count) => [.. Enumerable.Range(0, count).Select(_ => new ZoneId(Entropy.Bytes(ZoneId.Size))).Order()];

    public PartContent Content() => new(new(Bytes32()), Operations(Below(6)))
    {
        Openings = [.. Enumerable.Range(0, Below(3)).Select(_ => new Opening(new(Bytes32()), Salt(), StoragePath.Of([Segment.Of(new FieldId((ulong)Below(9)))]))).Order()],
        Forwards = [.. Enumerable.Range(0, Below(3)).Select(_ => Forward()).Order()],
    };

    public Forward Forward()
    {
        var count = 1 + Below(9);
        return new(
            new(Bytes32()), Below(64), new(Bytes32()), count, [.. Some(count).Select(index => new ForwardedOperation(index, Salt(), Operation()))],
            [.. Enumerable.Range(0, Below(4)).Select(_ => Bytes32())]);
    }

    /// <summary>An envelope with this many parts; a snapshot if it has a body.</summary>
    public Envelope Envelope(int parts, SecretKey key, SnapshotBody? body = null)
    {
        PartDraft[] drafts = [.. Zones(parts).Select(zone => new PartDraft(zone, new(Bytes32()), key, Content()))];
        return new Draft(new(Bytes32()), 2, new(Bytes32()), [], [new(Bytes32())], null)
            .Seal(body is null ? EnvelopeType.Delta : EnvelopeType.Snapshot, Author, Entropy, drafts, body?.Encode());
    }

    public void Dispose() => Author.Dispose();
}
