using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Golden;

/// <summary>docs/protocol/encoding.md §7: the same values, computed once by an independent program.</summary>
public sealed class KnownAnswers
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Hashes_and_derived_keys_are_the_documented_ones()
    {
        var core = Hashing.Hash(Label.Core, "test"u8);
        Assert.Equal("0901531962b55b88814d3319840033d4a257830e10126370eee6f167ce8869e1", core.ToString());
        using var k = new SecretKey(Key);
        Assert.Equal("65de113bac670759ff4aa0ba48883c7151e333a116b8bcdb2b978cbb07b4eed7", Hashing.Commit(k).ToString());
        using var part = Hashing.Derive(Label.Part, Key, [.. core.ToArray(), 0, 0]);
        Assert.Equal("4611ba24c94be03cb68775e78e98d2e56740b5ce72a24ab0419a1c6bdcf73d9b", Convert.ToHexStringLower(part.Bytes));
        using var leaf = Hashing.Derive(Label.Leaf, part.Bytes, default);
        Assert.Equal("c5280982c23ff4a9cee948637ee1df2f062476198db95ac6bd3a1131714773d3", Convert.ToHexStringLower(leaf.Bytes));
        Span<byte> salt = stackalloc byte[16];
        Hashing.LeafSalt(leaf, 0, salt);
        Assert.Equal("7dda342f284861002771105f96e86ea1", Convert.ToHexStringLower(salt));
        Assert.Equal("27beaf1238034dea0368ed6bdc486a01c35c5bcae1518ae2d60957c0da69f94e", Hashing.Hash(Label.Env, "header"u8).ToString());
    }

    [Fact]
    public void The_operation_root_is_the_documented_one()
    {
        var core = Hashing.Hash(Label.Core, "test"u8);
        using var part = Hashing.Derive(Label.Part, Key, [.. core.ToArray(), 0, 0]);
        ReadOnlyMemory<byte>[] operations = [Ascii("op0"), Ascii("op1"), Ascii("op2")];
        Assert.Equal("064a7e250d3e6face3d51697c1fe1891019e8a155931cc62b323422602f377c2", OperationTree.Root(part, operations).ToString());
        Assert.Equal(Hashing.Hash(Label.Node, default), OperationTree.Root(part, []));
    }

    [Theory]
    [InlineData(1, 256)]
    [InlineData(256, 256)]
    [InlineData(257, 272)]
    [InlineData(300, 304)]
    [InlineData(1000, 1024)]
    [InlineData(1025, 1088)]
    [InlineData(4097, 4352)]
    [InlineData(65_537, 67_584)]
    [InlineData(1_000_000, 1_015_808)]
    public void Padded_lengths_are_the_documented_ones(int length, int padded) => Assert.Equal(padded, Padding.PaddedLength(length));

    [Fact]
    public void Padding_costs_little_and_leaves_few_lengths()
    {
        var lengths = new HashSet<int>();
        for (var length = 1; length <= 1 << 20; length++)
        {
            var padded = Padding.PaddedLength(length);
            Assert.True(padded >= length && (length <= 256 || padded - length <= 0.0625 * length), $"{length} -> {padded}");
            lengths.Add(padded);
        }

        Assert.Equal(257, lengths.Count);
    }

    [Fact]
    public void Labels_are_unique_and_none_is_a_prefix_of_another()
    {
        var all = Enum.GetValues<Label>().Select(label => System.Text.Encoding.ASCII.GetString(label.Bytes())).ToArray();
        Assert.Equal("cloudpeer/v1/key-commit\0", all[(int)Label.KeyCommit]);
        foreach (var a in all)
            Assert.Single(all, b => b.StartsWith(a, StringComparison.Ordinal));
    }

    [Fact]
    public void Ids_have_one_text_form()
    {
        var id = new DocId(new Bytes32(Key));
        var text = id.ToString();
        Assert.Equal("doc_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq", text);
        Assert.True(Id.TryParse<DocId>(text, out var parsed));
        Assert.Equal(id, parsed);
        Assert.False(Id.TryParse<PeerId>(text, out _));
        Assert.False(Id.TryParse<DocId>(text[..^1] + "r", out _));
        Assert.False(Id.TryParse<DocId>(text + "a", out _));
        Assert.False(Id.TryParse<DocId>(text.ToUpperInvariant(), out _));
    }

    private static byte[] Ascii(string text) => System.Text.Encoding.ASCII.GetBytes(text);
}
