using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>docs/protocol/envelope.md §4: what a forward proves, and what it does not.</summary>
public sealed class ForwardTests
{
    [Fact]
    public void P8_A_forward_verifies_and_no_changed_one_does()
    {
        using var dice = new SealedDice(70);
        for (var round = 0; round < 400; round++)
        {
            var count = 1 + dice.Below(round % 10 == 0 ? 300 : 20);
            using var key = SecretKey.Random(dice.Entropy);
            var (forward, root) = Make(dice, key, count, dice.Some(count));
            Assert.True(OperationTree.TryRoot(forward, out var proven));
            Assert.Equal(root, proven);
            foreach (var forged in Forgeries(dice, forward)) Assert.False(OperationTree.TryRoot(forged, out proven) && proven == root);
        }
    }

    [Fact]
    public void P8_Every_subset_of_small_parts_is_provable()
    {
        using var dice = new SealedDice(71);
        using var key = SecretKey.Random(dice.Entropy);
        for (var count = 1; count <= 9; count++)
        {
            for (var mask = 1; mask < 1 << count; mask++)
            {
                int[] indices = [.. Enumerable.Range(0, count).Where(i => (mask >> i & 1) == 1)];
                var (forward, root) = Make(dice, key, count, indices);
                Assert.True(OperationTree.TryRoot(forward, out var proven));
                Assert.Equal(root, proven);
            }
        }
    }

    [Fact]
    public void P8_Another_count_never_moves_an_operation_unless_it_is_on_the_right_edge()
    {
        using var dice = new SealedDice(72);
        using var key = SecretKey.Random(dice.Entropy);
        var moved = 0;
        for (var count = 1; count <= 20; count++)
        {
            for (var index = 0; index < count; index++)
            {
                var (forward, root) = Make(dice, key, count, [index]);
                for (var other = 1; other <= 40; other++)
                {
                    for (var place = 0; place < other; place++)
                    {
                        if (place == index) continue;
                        var claim = forward with { Count = other, Operations = [forward.Operations[0] with { Index = place }] };
                        if (!OperationTree.TryRoot(claim, out var proven) || proven != root) continue;
                        Assert.NotEqual(count, other);
                        Assert.True(index >= LeftHalf(count));
                        moved++;
                    }
                }
            }

            var (all, whole) = Make(dice, key, count, [.. Enumerable.Range(0, count)]);
            for (var other = 1; other <= 40; other++)
                Assert.Equal(other == count, OperationTree.TryRoot(all with { Count = other }, out var proven) && proven == whole);
        }

        Assert.NotEqual(0, moved);
    }

    [Fact]
    public void What_was_opened_can_be_forwarded_and_carried_by_another_part()
    {
        using var dice = new SealedDice(73);
        using var key = SecretKey.Random(dice.Entropy);
        var source = new Draft(new(dice.Bytes32()), 2, new(dice.Bytes32()), [], [], null).Seal(
            EnvelopeType.Delta, dice.Author, dice.Entropy,
            [.. dice.Zones(3).Select(zone => new PartDraft(zone, new(dice.Bytes32()), key, new(new(dice.Bytes32()), dice.Operations(11))))], default);
        Assert.True(PartContent.TryOpen(source, 2, key, out var opened, out _));
        var forward = opened.Forward(source, 2, key, [0, 7, 10]);
        Assert.Equal((source.Id, 2, opened.Schema, 11), (forward.Envelope, forward.Part, forward.Schema, forward.Count));
        Assert.Equal(opened.Operations[7].ToArray(), forward.Operations[1].Bytes.ToArray());
        Assert.True(OperationTree.TryRoot(forward, out var root));
        Assert.Equal(source.Header.Parts[2].OpsRoot, root);
        var content = new PartContent(opened.Schema, dice.Operations(2)) { Forwards = [forward] };
        var carrier = new Draft(new(dice.Bytes32()), 1, default, [], [], null).SealDelta(dice.Author, dice.Entropy, default, key, content);
        Assert.True(PartContent.TryOpen(carrier, 0, key, out var carried, out _));
        Assert.Equal([forward], carried.Forwards);
    }

    [Fact]
    public void A_forward_of_the_wrong_shape_has_no_root()
    {
        using var dice = new SealedDice(74);
        using var key = SecretKey.Random(dice.Entropy);
        var (forward, _) = Make(dice, key, 5, [1, 3]);
        Forward[] wrong =
        [
            forward with { Operations = [] }, forward with { Operations = [forward.Operations[1], forward.Operations[0]] }, forward with { Count = 3 },
            forward with { Count = 0 }, forward with { Count = int.MaxValue }, forward with { Hashes = [.. forward.Hashes, default] }, forward with { Hashes = [] },
            forward with { Operations = [forward.Operations[0] with { Index = -1 }] },
        ];
        foreach (var each in wrong) Assert.False(OperationTree.TryRoot(each, out _));
    }

    private static (Forward Forward, Bytes32 Root) Make(SealedDice dice, SecretKey key, int count, int[] indices)
    {
        var operations = dice.Operations(count);
        var (salts, hashes) = OperationTree.Prove(key, operations, indices);
        var forwarded = indices.Select((index, i) => new ForwardedOperation(index, salts[i], operations[index])).ToArray();
        return (new(default, 0, default, count, forwarded, hashes), OperationTree.Root(key, operations));
    }

    // One change of each kind: a bit of an operation, a salt or a hash, two hashes or operations in each other's place, one left out, an index.
    private static IEnumerable<Forward> Forgeries(SealedDice dice, Forward forward)
    {
        var at = dice.Below(forward.Operations.Count);
        var operation = forward.Operations[at];
        var bytes = operation.Bytes.ToArray();
        bytes[dice.Below(bytes.Length)] ^= (byte)(1 << dice.Below(8));
        yield return WithOperation(operation with { Bytes = bytes });
        yield return WithOperation(operation with { Bytes = (byte[])[.. operation.Bytes.Span, 0] });
        yield return WithOperation(operation with { Salt = dice.Salt() });
        var free = Enumerable.Range(0, forward.Count).Except(forward.Operations.Select(each => each.Index)).ToArray();
        if (free.Length > 0) yield return WithOperation(operation with { Index = free[dice.Below(free.Length)] }, sort: true);
        if (forward.Operations.Count > 1)
        {
            var other = forward.Operations[(at + 1) % forward.Operations.Count];
            yield return forward with { Operations = [.. forward.Operations.Where(each => each != operation)] };
            if (!other.Bytes.Span.SequenceEqual(operation.Bytes.Span)) yield return WithOperation(operation with { Bytes = other.Bytes });
        }

        if (forward.Hashes.Count == 0) yield break;
        var hash = dice.Below(forward.Hashes.Count);
        yield return WithHashes([.. forward.Hashes.Select((each, i) => i == hash ? dice.Bytes32() : each)]);
        yield return WithHashes([.. forward.Hashes.Where((_, i) => i != hash)]);
        yield return WithHashes([.. forward.Hashes, dice.Bytes32()]);
        if (forward.Hashes.Count > 1) yield return WithHashes([.. forward.Hashes.Reverse()]);

        Forward WithOperation(ForwardedOperation changed, bool sort = false)
        {
            var operations = forward.Operations.Select((each, i) => i == at ? changed : each);
            return forward with { Operations = [.. sort ? operations.OrderBy(each => each.Index) : operations] };
        }

        Forward WithHashes(Bytes32[] hashes) => forward with { Hashes = hashes };
    }

    // The leaves of the root's left side: the greatest power of two below the count.
    private static int LeftHalf(int count) => count == 1 ? 0 : 1 << (int)Math.Log2(count - 1);
}
