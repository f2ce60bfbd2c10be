using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>What deltas cost on the wire (docs/performance.md). Each names a dependency and a policy head, and every sixteenth the log head that its author saw.</summary>
public sealed class WireSizeTests
{
    private const int Deltas = 10_000;

    [Fact]
    public void Ten_thousand_deltas_of_one_operation_take_at_most_1_KiB_each()
    {
        var (total, longest) = Seal(1);
        Assert.InRange(longest, 600, 1_024);
        Assert.Equal(686, total / Deltas);
    }

    [Fact]
    public void Ten_operations_in_a_delta_take_at_most_200_bytes_each()
    {
        var (total, longest) = Seal(10);
        Assert.InRange(longest, 600, 10 * 200);
        Assert.Equal(974, total / Deltas);
    }

    private static (long Total, int Longest) Seal(int operations)
    {
        var entropy = new SeededEntropy(95);
        using var author = SigningKey.Generate(entropy);
        using var key = SecretKey.Random(entropy);
        var (document, head) = (new DocId(Any()), new EnvelopeId(Any()));
        var seen = LogHead.Sign(author, document, 1_000_000, head.Value, 1_800_000_000_000_000);
        var (total, longest, previous) = (0L, 0, head);
        for (var number = 0; number < Deltas; number++)
        {
            var content = new PartContent(new(head.Value), [.. Enumerable.Range(0, operations).Select(_ => Title())]);
            var envelope = new Draft(document, (ulong)number + 2, previous, [head], [head], number % 16 == 0 ? seen : null)
                .SealDelta(author, entropy, head, key, content);
            (total, longest, previous) = (total + envelope.Bytes.Length, Math.Max(longest, envelope.Bytes.Length), envelope.Id);
        }

        return (total, longest);

        Bytes32 Any() => new(entropy.Bytes(Bytes32.Size));

        // The title of a task: a field, an element, a field.
        ReadOnlyMemory<byte> Title() => new Put(
            StoragePath.Of([Segment.Of(new FieldId((ulong)entropy.Below(1 << 30) << 32)), Segment.Of(new Uid((ulong)entropy.Below(1 << 30) << 32)), Segment.Of(new FieldId((ulong)entropy.Below(1 << 30) << 32))]),
            Value.Of("sixteen letters!")).Encode();
    }
}
