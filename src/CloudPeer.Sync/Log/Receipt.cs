using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Log;

/// <summary>What a receipt says about one envelope (log.md §4.1).</summary>
/// <param name="Document">The document.</param>
/// <param name="Envelope">The envelope the server holds.</param>
/// <param name="Index">Its place in the document's log, from 0.</param>
/// <param name="Size">Envelopes in the log just after this one.</param>
/// <param name="Root">The log's root just after this one.</param>
/// <param name="Micros">The server's clock at the commit, microseconds since 1970.</param>
public sealed record ReceiptLeaf(DocId Document, EnvelopeId Envelope, ulong Index, ulong Size, Bytes32 Root, ulong Micros)
{
    /// <summary><c>H_receipt(doc ‖ EnvelopeId ‖ u64be(index) ‖ u64be(size) ‖ root ‖ u64be(micros))</c>.</summary>
    public Bytes32 Hash()
    {
        Span<byte> bytes = stackalloc byte[120];
        Document.Value.CopyTo(bytes);
        Envelope.Value.CopyTo(bytes[32..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[64..], Index);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[72..], Size);
        Root.CopyTo(bytes[80..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[112..], Micros);
        return Hashing.Hash(Label.Receipt, bytes);
    }
}

/// <summary>
/// A server's signed statement that it holds an envelope durably, and where (log.md §4). It is checked without the server.
/// </summary>
/// <param name="Leaf">What is attested.</param>
/// <param name="LeafIndex">The leaf's place among those of its commit.</param>
/// <param name="LeafCount">Leaves of the commit.</param>
/// <param name="Path">The leaf's audit path in the commit's batch tree, from its sibling up.</param>
/// <param name="Signature">64 bytes over the root of the batch tree.</param>
/// <param name="Server">Who signs.</param>
public sealed record Receipt(ReceiptLeaf Leaf, int LeafIndex, int LeafCount, IReadOnlyList<Bytes32> Path, byte[] Signature, PeerId Server)
{
    /// <summary>
    /// log.md §4.4: climbs from the leaf to the batch root and checks the signature. False as well if size is not index + 1, which no
    /// honest server signs.
    /// </summary>
    public bool Verify() =>
        LeafIndex >= 0 && LeafCount >= 0
        && Leaf.Index != ulong.MaxValue && Leaf.Size == Leaf.Index + 1
        && MerkleTree.TryClimb(MerkleTree.Leaf(Leaf.Hash()), (ulong)LeafIndex, (ulong)LeafCount, Path, out var root)
        && SigningKey.Verify(Server, Label.ReceiptSig, root, Signature);
}

/// <summary>The receipts of one commit under one signature (log.md §4.1, §4.2).</summary>
public sealed class ReceiptBatch
{
    private readonly IReadOnlyList<ReceiptLeaf> _leaves;
    private readonly IReadOnlyList<Bytes32>[] _paths;
    private readonly PeerId _server;

    private ReceiptBatch(IReadOnlyList<ReceiptLeaf> leaves, IReadOnlyList<Bytes32> hashes, IReadOnlyList<Bytes32>[] paths, byte[] signature, PeerId server)
    {
        _leaves = leaves;
        _paths = paths;
        _server = server;
        Hashes = hashes;
        Signature = signature;
    }

    /// <summary>The receipt hash of each leaf, in commit order: with the signature, all that must be stored to give the receipts again.</summary>
    public IReadOnlyList<Bytes32> Hashes { get; }

    /// <summary>The signature over the batch root.</summary>
    public byte[] Signature { get; }

    /// <summary>The receipt of one leaf.</summary>
    public Receipt this[int index] => new(_leaves[index], index, _leaves.Count, _paths[index], Signature, _server);

    /// <summary>Signs one commit; the leaves are in commit order, at least one.</summary>
    public static ReceiptBatch Sign(SigningKey server, IReadOnlyList<ReceiptLeaf> leaves)
    {
        Bytes32[] hashes = [.. leaves.Select(leaf => leaf.Hash())];
        Bytes32[] nodes = [.. hashes.Select(MerkleTree.Leaf)];
        var signature = server.Sign(Label.ReceiptSig, MerkleTree.Root(nodes));
        return new(leaves, hashes, MerkleTree.InclusionPaths(nodes), signature, server.Public);
    }
}

/// <summary>The receipts of a commit, made again from what it left in the store.</summary>
/// <param name="hashes">The receipt hash of each leaf, in commit order.</param>
/// <param name="signature">The signature over the batch root.</param>
/// <param name="server">Who signed.</param>
public sealed class StoredBatch(IReadOnlyList<Bytes32> hashes, byte[] signature, PeerId server)
{
    private readonly IReadOnlyList<Bytes32>[] _paths = MerkleTree.InclusionPaths([.. hashes.Select(MerkleTree.Leaf)]);

    /// <summary>True if it is the commit with this signature.</summary>
    public bool IsOf(ReadOnlySpan<byte> other) => other.SequenceEqual(signature);

    /// <summary>The receipt of one leaf.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="index">Its place in the commit.</param>
    public Receipt Receipt(ReceiptLeaf leaf, int index) => new(leaf, index, _paths.Length, _paths[index], signature, server);
}
