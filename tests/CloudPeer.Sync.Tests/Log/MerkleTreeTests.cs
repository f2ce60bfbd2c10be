using CloudPeer.Sync.Log;
using CsCheck;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Sync.Tests.Log;

/// <summary>RFC 6962 §2.1: the published test data of certificate-transparency, then laws.</summary>
public sealed class MerkleTreeTests
{
    // The eight leaves that the reference implementations of RFC 6962 test with.
    private static readonly string[] Inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static Bytes32[] ReferenceLeaves => [.. Inputs.Select(input => Hashing.Sha256([0, .. Convert.FromHexString(input)]))];

    private static readonly Gen<int> Sizes = Gen.Int[1, 70];

    [Fact]
    public void The_reference_trees_have_the_published_roots()
    {
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", MerkleTree.Root([]).ToString());
        for (var size = 1; size <= Roots.Length; size++) Assert.Equal(Roots[size - 1], MerkleTree.Root(ReferenceLeaves[..size]).ToString());
    }

    [Theory]
    [InlineData(0, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(5, 8, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(1, 5, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    public void The_reference_audit_paths_are_the_published_ones(int index, int size, string expected) =>
        Assert.Equal(expected, string.Join(' ', MerkleTree.InclusionPath(ReferenceLeaves[..size], index)));

    [Theory]
    [InlineData(1, 1, "")]
    [InlineData(1, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(6, 8, "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 5, "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    public void The_reference_consistency_proofs_are_the_published_ones(int from, int to, string expected) =>
        Assert.Equal(expected, string.Join(' ', MerkleTree.ConsistencyProof(ReferenceLeaves[..to], from)));

    [Fact]
    public void Every_audit_path_leads_to_the_root_and_to_nowhere_else() => Sizes.Sample(size =>
    {
        var leaves = Leaves(size);
        var root = MerkleTree.Root(leaves);
        var paths = MerkleTree.InclusionPaths(leaves);
        for (var i = 0; i < size; i++)
        {
            Assert.Equal(paths[i], MerkleTree.InclusionPath(leaves, i));
            Assert.True(Leads(leaves[i], i, size, paths[i], root));
            Assert.False(Leads(leaves[i], i, size, [.. paths[i], root], root));
            if (paths[i].Count > 0) Assert.False(Leads(leaves[i], i, size, [.. paths[i].Skip(1)], root));
            for (var other = 0; other < size; other++) Assert.Equal(other == i, Leads(leaves[i], other, size, paths[i], root));
            for (var node = 0; node < paths[i].Count; node++)
            {
                var changed = paths[i].ToArray();
                changed[node] = Flip(changed[node]);
                Assert.False(Leads(leaves[i], i, size, changed, root));
            }
        }

        Assert.False(Leads(leaves[0], size, size, paths[0], root));
    }, iter: 40);

    [Fact]
    public void Every_tree_is_consistent_with_its_beginnings_and_with_nothing_else() => Sizes.Sample(size =>
    {
        var leaves = Leaves(size);
        var root = MerkleTree.Root(leaves);
        for (var old = 0; old <= size; old++)
        {
            var oldRoot = MerkleTree.Root(leaves[..old]);
            var proof = MerkleTree.ConsistencyProof(leaves, old);
            Assert.True(MerkleTree.VerifyConsistency((ulong)old, oldRoot, (ulong)size, root, proof));
            Assert.False(MerkleTree.VerifyConsistency((ulong)old, Flip(oldRoot), (ulong)size, root, proof));
            Assert.False(MerkleTree.VerifyConsistency((ulong)old, oldRoot, (ulong)size, root, [.. proof, root]));
            if (old > 0) Assert.False(MerkleTree.VerifyConsistency((ulong)old, oldRoot, (ulong)size, Flip(root), proof));
            for (var node = 0; node < proof.Count; node++)
            {
                var changed = proof.ToArray();
                changed[node] = Flip(changed[node]);
                Assert.False(MerkleTree.VerifyConsistency((ulong)old, oldRoot, (ulong)size, root, changed));
                Assert.False(MerkleTree.VerifyConsistency((ulong)old, oldRoot, (ulong)size, root, [.. proof.Take(node)]));
            }
        }

        Assert.False(MerkleTree.VerifyConsistency((ulong)size + 1, root, (ulong)size, root, []));
    }, iter: 40);

    [Fact]
    public void A_frontier_has_the_root_of_the_tree_at_every_size_and_survives_storage()
    {
        var range = CompactRange.Empty;
        var ids = new List<EnvelopeId>();
        for (var size = 0; size <= 300; size++)
        {
            Assert.Equal((ulong)size, range.Size);
            Assert.Equal(MerkleTree.Root([.. ids.Select(id => MerkleTree.Leaf(id.Value))]), range.Root);
            Assert.True(CompactRange.TryDecode(range.Encode(), out var stored));
            Assert.Equal(range.Hashes, stored.Hashes);
            Assert.Equal(range.Size, stored.Size);
            var id = new EnvelopeId(Hashing.Sha256([(byte)(size & 0xff), (byte)(size >> 8)]));
            ids.Add(id);
            range = range.Append(id);
        }
    }

    [Fact]
    public void A_stored_frontier_with_another_number_of_hashes_is_refused()
    {
        var bytes = CompactRange.Empty.Append(default).Append(default).Append(default).Encode();
        Assert.False(CompactRange.TryDecode(bytes.AsSpan(0, 7), out _));
        Assert.False(CompactRange.TryDecode(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.False(CompactRange.TryDecode([.. bytes, .. new byte[32]], out _));
    }

    private static bool Leads(Bytes32 leaf, int index, int size, IReadOnlyList<Bytes32> path, Bytes32 root) =>
        MerkleTree.TryClimb(leaf, (ulong)index, (ulong)size, path, out var reached) && reached == root;

    private static Bytes32[] Leaves(int count) => [.. Enumerable.Range(0, count).Select(i => Hashing.Sha256([(byte)i]))];

    private static Bytes32 Flip(Bytes32 value)
    {
        var bytes = value.ToArray();
        bytes[7] ^= 1;
        return new(bytes);
    }
}
