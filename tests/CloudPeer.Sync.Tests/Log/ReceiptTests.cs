using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Sync.Tests.Log;

public sealed class ReceiptTests
{
    private readonly SeededEntropy _entropy = new(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(512)]
    public void Every_receipt_of_a_commit_verifies_alone_and_when_made_again_from_what_is_stored(int count)
    {
        using var server = SigningKey.Generate(_entropy);
        var leaves = Leaves(count);
        var batch = ReceiptBatch.Sign(server, leaves);
        for (var i = 0; i < count; i += Math.Max(1, count / 16))
        {
            Assert.True(batch[i].Verify());
            var restored = new StoredBatch(batch.Hashes, batch.Signature, server.Public).Receipt(leaves[i], i);
            Assert.Equal(batch[i].Path, restored.Path);
            Assert.Equal(batch[i] with { Path = [] }, restored with { Path = [] }, ReceiptComparer);
        }
    }

    [Fact]
    public void A_receipt_with_any_byte_changed_does_not_verify()
    {
        using var server = SigningKey.Generate(_entropy);
        using var other = SigningKey.Generate(_entropy);
        var receipt = ReceiptBatch.Sign(server, Leaves(5))[3];
        Assert.True(receipt.Verify());
        Assert.All(Changed(receipt).Append(receipt with { Server = other.Public }), changed => Assert.False(changed.Verify()));
    }

    private static IEnumerable<Receipt> Changed(Receipt receipt)
    {
        var leaf = receipt.Leaf;
        for (var i = 0; i < 32; i++)
        {
            yield return receipt with { Leaf = leaf with { Document = new(Flip(leaf.Document.Value, i)) } };
            yield return receipt with { Leaf = leaf with { Envelope = new(Flip(leaf.Envelope.Value, i)) } };
            yield return receipt with { Leaf = leaf with { Root = Flip(leaf.Root, i) } };
            yield return receipt with { Server = new(Flip(receipt.Server.Value, i)) };
            for (var node = 0; node < receipt.Path.Count; node++)
            {
                var path = receipt.Path.ToArray();
                path[node] = Flip(path[node], i);
                yield return receipt with { Path = path };
            }
        }

        for (var bit = 0; bit < 64; bit++)
        {
            yield return receipt with { Leaf = leaf with { Index = leaf.Index ^ 1UL << bit } };
            yield return receipt with { Leaf = leaf with { Size = leaf.Size ^ 1UL << bit } };
            yield return receipt with { Leaf = leaf with { Micros = leaf.Micros ^ 1UL << bit } };
        }

        for (var i = 0; i < receipt.Signature.Length; i++)
        {
            var signature = receipt.Signature.ToArray();
            signature[i] ^= 1;
            yield return receipt with { Signature = signature };
        }

        yield return receipt with { LeafIndex = 2 };
        yield return receipt with { LeafIndex = -1 };
        yield return receipt with { LeafCount = 3 };
        yield return receipt with { LeafCount = -5 };
        yield return receipt with { Path = [] };
        yield return receipt with { Signature = [] };
    }

    private List<ReceiptLeaf> Leaves(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new ReceiptLeaf(new(Hash()), new(Hash()), (ulong)i, (ulong)i + 1, Hash(), 1_000_000))];

    private Bytes32 Hash() => new(_entropy.Bytes(32));

    private static Bytes32 Flip(Bytes32 value, int index)
    {
        var bytes = value.ToArray();
        bytes[index] ^= 0x80;
        return new(bytes);
    }

    private static readonly IEqualityComparer<Receipt> ReceiptComparer = EqualityComparer<Receipt>.Create(
        (a, b) => a!.Leaf == b!.Leaf && a.LeafIndex == b.LeafIndex && a.LeafCount == b.LeafCount && a.Signature.SequenceEqual(b.Signature) && a.Server == b.Server);
}
