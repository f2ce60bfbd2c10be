using CloudPeer.Sync.Log;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Wire;

/// <summary>Heads and receipts (docs/protocol/log.md) between protobuf and the core. Reading checks the shape; signatures are the reader's to check.</summary>
public static class WireLog
{
    /// <summary>A batch tree has at most 2^31 leaves, so a path is no longer than this.</summary>
    private const int MaxPath = 31;

    /// <summary>A head as a message.</summary>
    public static V1.LogHead ToWire(this LogHead head) => new()
    {
        Document = head.Document.ToWire(),
        Server = head.Server.ToWire(),
        Size = head.Size,
        Root = Bytes(head.Root),
        Micros = head.Micros,
        Signature = UnsafeByteOperations.UnsafeWrap(head.Signature),
    };

    /// <summary>Reads a head.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.Malformed"/>.</exception>
    public static LogHead Read(V1.LogHead head) => new(
        WireIds.Read<DocId>(head.Document, "document"),
        WireIds.Read<PeerId>(head.Server, "server"),
        head.Size,
        WireIds.ReadBytes32(head.Root, "root"),
        head.Micros,
        Signature(head.Signature));

    /// <summary>A receipt as a message.</summary>
    public static V1.Receipt ToWire(this Receipt receipt) => new()
    {
        Document = receipt.Leaf.Document.ToWire(),
        Envelope = receipt.Leaf.Envelope.ToWire(),
        Index = receipt.Leaf.Index,
        Size = receipt.Leaf.Size,
        Root = Bytes(receipt.Leaf.Root),
        Micros = receipt.Leaf.Micros,
        LeafIndex = (uint)receipt.LeafIndex,
        LeafCount = (uint)receipt.LeafCount,
        Path = { receipt.Path.Select(Bytes) },
        Signature = UnsafeByteOperations.UnsafeWrap(receipt.Signature),
        Server = receipt.Server.ToWire(),
    };

    /// <summary>Reads a receipt.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.Malformed"/>.</exception>
    public static Receipt Read(V1.Receipt receipt)
    {
        if (receipt.LeafCount > int.MaxValue || receipt.LeafIndex >= receipt.LeafCount || receipt.Path.Count > MaxPath)
            throw new TlfsException(Reason.Malformed, "the receipt's place in its commit is impossible");
        var leaf = new ReceiptLeaf(
            WireIds.Read<DocId>(receipt.Document, "document"),
            WireIds.Read<EnvelopeId>(receipt.Envelope, "envelope"),
            receipt.Index,
            receipt.Size,
            WireIds.ReadBytes32(receipt.Root, "root"),
            receipt.Micros);
        Bytes32[] path = [.. receipt.Path.Select(node => WireIds.ReadBytes32(node, "path"))];
        return new(leaf, (int)receipt.LeafIndex, (int)receipt.LeafCount, path, Signature(receipt.Signature), WireIds.Read<PeerId>(receipt.Server, "server"));
    }

    /// <summary>A generation as a message.</summary>
    public static V1.Generation ToWire(this Generation generation) => new()
    {
        Document = generation.Document.ToWire(),
        Server = generation.Server.ToWire(),
        Number = generation.Number,
        Size = generation.Size,
        Root = Bytes(generation.Root),
        Micros = generation.Micros,
        Signature = UnsafeByteOperations.UnsafeWrap(generation.Signature),
    };

    /// <summary>Reads a generation.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.Malformed"/>.</exception>
    public static Generation Read(V1.Generation generation) => new(
        WireIds.Read<DocId>(generation.Document, "document"),
        WireIds.Read<PeerId>(generation.Server, "server"),
        generation.Number,
        generation.Size,
        WireIds.ReadBytes32(generation.Root, "root"),
        generation.Micros,
        Signature(generation.Signature));

    private static byte[] Signature(ByteString signature) => signature.Length == SigningKey.SignatureSize
        ? signature.ToByteArray()
        : throw new TlfsException(Reason.Malformed, $"a signature has {SigningKey.SignatureSize} bytes");

    /// <summary>A hash as protobuf bytes.</summary>
    public static ByteString ToWire(Bytes32 hash) => Bytes(hash);

    private static ByteString Bytes(Bytes32 value) => UnsafeByteOperations.UnsafeWrap(value.ToArray());
}
