using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Sealing.Independent;

/// <summary>What a malicious writer may seal: plaintexts that are wrong in one place or several, other padding, another root, another position.</summary>
public sealed class PartCheckerTests
{
    private const int Count = 100_000;
    private static readonly SigningKey Author = SigningKey.Generate(new SeededEntropy(1));
    private static readonly byte[] ContentKey = [.. Enumerable.Range(7, 32).Select(i => (byte)i)];
    private static readonly byte[][] Items = [.. new[] { "00", "20", "4101", "6161", "8101", "a10102", "f5", "f6", "f93c00", "fb3ff199999999999a", "83010203", "1903e8" }.Select(Convert.FromHexString)];

    [Fact]
    public void P7_Two_independent_checkers_agree_on_malformed_parts()
    {
        var outcomes = new int[Enum.GetValues<Reason>().Length + 1];
        Dice.ForEach(Count, dice =>
        {
            var (header, part) = Seal(dice);
            var envelope = Envelope.Sign(Author, header, default, [part]);
            using var key = new SecretKey(ContentKey);
            // Operations are opaque at these steps; a decoder of their own reads them (OperationFuzz). Here they have to be deterministic CBOR.
            Reason? product = !PartContent.TryOpen(envelope, 0, key, out var content, out var reason) ? reason
                : Opaque(content).All(operation => Cbor.TryRead(operation.ToArray()) is not null) ? null : Reason.BadOperations;
            var text = PartByTheText.Check(ContentKey, header.CoreHash().ToArray(), 0, part, header.Parts[0].OpsRoot.ToArray());
            Assert.True(text == product, $"the text says {text}, the product {product}");
            Interlocked.Increment(ref outcomes[text is { } why ? (int)why + 1 : 0]);
        });
        foreach (var outcome in (int[])[0, (int)Reason.Unsealable + 1, (int)Reason.BadPadding + 1, (int)Reason.BadOperations + 1])
            Assert.True(outcomes[outcome] > Count / 50, $"only {outcomes[outcome]} of outcome {outcome}");
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Opaque(PartContent content) =>
        content.Operations.Concat(content.Forwards.SelectMany(forward => forward.Operations).Select(operation => operation.Bytes));

    private static (EnvelopeHeader Header, byte[] Part) Seal(Dice dice)
    {
        var header = new EnvelopeHeader(
            EnvelopeType.Delta, new(Author.Public.Value), Author.Public, 1, default, [], [], null,
            [new(ZoneId.Root, new(dice.Bytes32()), Aead.Overhead, default, default)], 0, default);
        var core = header.CoreHash().ToArray();
        byte[] position = [.. core, 0, dice.Percent(3) ? (byte)1 : (byte)0];
        var partKey = PartByTheText.Derive("part", ContentKey, position);
        var plain = Content(dice).Encode();
        if (dice.Percent(60)) plain = Mutate(dice, plain);
        var padded = Padding.Pad(plain, dice.Percent(95) ? Padding.PaddedLength : length => Padding.PaddedLength(length) + 1);
        if (dice.Percent(5)) padded[dice.Percent(50) ? dice.Next(4) : dice.Next(padded.Length)] ^= (byte)(1 << dice.Next(8));
        using var key = new SecretKey(partKey);
        var part = Aead.Seal(new SeededEntropy((ulong)dice.Next(int.MaxValue)), key, padded, Label.PartAd.Prefix(position));
        if (dice.Percent(3)) part = Mutate(dice, part);
        if (part.Length < Aead.Overhead) part = new byte[Aead.Overhead];
        var operations = PartByTheText.Operations(plain) ?? [];
        var root = dice.Percent(95) ? PartByTheText.Root(partKey, operations) : dice.Bytes(32);
        return (header with { Parts = [header.Parts[0] with { Length = part.Length, Hash = Hashing.Hash(Label.Chash, part), OpsRoot = new(root) }] }, part);
    }

    private static PartContent Content(Dice dice) => new(new(dice.Bytes32()), Some(dice, 6, () => (ReadOnlyMemory<byte>)dice.Pick(Items)))
    {
        Openings = [.. Some(dice, dice.Percent(30) ? 3 : 0, () => new Opening(new(dice.Bytes32()), new(dice.Bytes(16)), Path(dice))).OrderBy(opening => opening.Grant)],
        Forwards = [.. Some(dice, dice.Percent(30) ? 3 : 0, () => Forward(dice)).OrderBy(forward => forward.Envelope)],
    };

    private static Forward Forward(Dice dice)
    {
        var indices = Enumerable.Range(0, 9).Where(_ => dice.Percent(40)).DefaultIfEmpty(dice.Next(9));
        return new(
            new(dice.Bytes32()), dice.Next(64), new(dice.Bytes32()), dice.Between(7, 9),
            [.. indices.Select(index => new ForwardedOperation(index, new(dice.Bytes(16)), dice.Pick(Items)))], Some(dice, 3, dice.Bytes32));
    }

    private static StoragePath Path(Dice dice) => StoragePath.Of(Some(dice, 4, () => dice.Next(5) switch
    {
        0 => Segment.Of(new FieldId((ulong)dice.Next(int.MaxValue))),
        1 => Segment.Of(dice.Percent(50)),
        2 => Segment.Of(-5L),
        3 => Segment.Of("ключ"),
        _ => Segment.Of(dice.Bytes(dice.Next(5))),
    }));

    private static T[] Some<T>(Dice dice, int most, Func<T> make) => [.. Enumerable.Range(0, dice.Between(0, most)).Select(_ => make())];

    // Small bytes and the structure are changed more often than the hashes, which may be anything.
    private static byte[] Mutate(Dice dice, byte[] good)
    {
        var bytes = good.ToList();
        for (var left = dice.Between(1, 2); left > 0 && bytes.Count > 0; left--)
        {
            var at = dice.Percent(70) ? Structural(dice, bytes) : dice.Next(bytes.Count);
            switch (dice.Next(5))
            {
                case 0: bytes[at] = (byte)dice.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << dice.Next(8)); break;
                case 2: bytes.RemoveAt(at); break;
                case 3: bytes.Insert(at, (byte)dice.Next(256)); break;
                default: bytes[at] = (byte)((bytes[at] + 1) & 0xFF); break;
            }
        }

        return [.. bytes];
    }

    private static int Structural(Dice dice, List<byte> bytes)
    {
        int[] places = [.. Enumerable.Range(0, bytes.Count).Where(i => i < 3 || (i >= 35 && bytes[i] is >= 0x80 and < 0x9C or 0x58 or 0x50))];
        return dice.Pick(places);
    }
}
