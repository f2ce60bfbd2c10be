using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Wire;

public sealed class WireLogTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    public void Receipts_verify_after_the_journey(int count)
    {
        using var server = SigningKey.Generate(SystemEntropy.Instance);
        var batch = ReceiptBatch.Sign(server, [.. Enumerable.Range(0, count).Select(Leaf)]);
        for (var i = 0; i < count; i++)
        {
            var receipt = batch[i];
            var read = WireLog.Read(V1.Receipt.Parser.ParseFrom(receipt.ToWire().ToByteArray()));

            Assert.True(read.Verify());
            Assert.Equal(receipt.Leaf, read.Leaf);
        }
    }

    [Fact]
    public void Heads_verify_after_the_journey()
    {
        using var server = SigningKey.Generate(SystemEntropy.Instance);
        var head = LogHead.Sign(server, Id.From<DocId>(SystemEntropy.Instance.Bytes(32)), 17, new(SystemEntropy.Instance.Bytes(32)), 99);

        var read = WireLog.Read(V1.LogHead.Parser.ParseFrom(head.ToWire().ToByteArray()));

        Assert.True(read.Verify());
        Assert.Equal(head with { Signature = read.Signature }, read);
    }

    [Fact]
    public void What_cannot_be_a_receipt_or_head_is_malformed()
    {
        using var server = SigningKey.Generate(SystemEntropy.Instance);
        var good = ReceiptBatch.Sign(server, [Leaf(0)])[0].ToWire();
        V1.Receipt[] receipts =
        [
            new(),
            new(good) { Document = ByteString.Empty },
            new(good) { Root = ByteString.CopyFromUtf8("x") },
            new(good) { Signature = ByteString.Empty },
            new(good) { LeafIndex = good.LeafCount },
            new(good) { LeafCount = uint.MaxValue },
            new(good) { Path = { Enumerable.Repeat(good.Root, 32) } },
            new(good) { Path = { ByteString.Empty } },
        ];

        Assert.All(receipts, wrong => Assert.Equal(Reason.Malformed, Assert.Throws<TlfsException>(() => WireLog.Read(wrong)).Reason));
        Assert.Equal(Reason.Malformed, Assert.Throws<TlfsException>(() => WireLog.Read(new V1.LogHead())).Reason);
    }

    private static ReceiptLeaf Leaf(int index) => new(
        Id.From<DocId>(SystemEntropy.Instance.Bytes(32)),
        Id.From<EnvelopeId>(SystemEntropy.Instance.Bytes(32)),
        (ulong)index,
        (ulong)index + 1,
        new(SystemEntropy.Instance.Bytes(32)),
        5);
}
