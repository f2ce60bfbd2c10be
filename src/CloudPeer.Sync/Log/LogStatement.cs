using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Log;

/// <summary>What a server signed about a document's log: that it has this root at this size (log.md §3, §4, §6).</summary>
/// <param name="Document">The document.</param>
/// <param name="Server">The signing server.</param>
/// <param name="Size">Envelopes in the log.</param>
/// <param name="Root">Its root.</param>
/// <param name="Micros">The server's clock, microseconds since 1970.</param>
public abstract record LogStatement(DocId Document, PeerId Server, ulong Size, Bytes32 Root, ulong Micros)
{
    /// <summary>A receipt's path is no longer than this, because a commit has fewer than 2^31 leaves.</summary>
    private const int MaxPath = 31;

    /// <summary>The number that stands for the kind, in <see cref="Evidence"/>.</summary>
    private const int HeadKind = 0, ReceiptKind = 1, GenerationKind = 2;

    /// <summary>True if the signature is the server's.</summary>
    public abstract bool Verify();

    /// <summary>Writes <c>[kind, size, root, micros, signature, …]</c>; document and server are written once beside it.</summary>
    public void Write(CanonicalWriter writer)
    {
        switch (this)
        {
            case HeadStatement each:
                Begin(writer, 5, HeadKind, each.Head.Signature);
                break;
            case GenerationStatement each:
                Begin(writer, 6, GenerationKind, each.Generation.Signature);
                writer.UInt(each.Generation.Number);
                break;
            case ReceiptStatement each:
                Begin(writer, 9, ReceiptKind, each.Receipt.Signature);
                writer.Id(each.Receipt.Leaf.Envelope);
                writer.UInt((ulong)each.Receipt.LeafIndex);
                writer.UInt((ulong)each.Receipt.LeafCount);
                writer.Array(each.Receipt.Path, writer.Bytes32);
                break;
        }

        writer.EndArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static LogStatement Read(CanonicalReader reader, DocId document, PeerId server)
    {
        var items = reader.BeginArrayUpTo(9);
        var kind = reader.SmallInt(GenerationKind);
        CanonicalReader.Require(items == kind switch { HeadKind => 5, GenerationKind => 6, _ => 9 }, "a log statement with other members");
        var size = reader.UInt();
        var root = reader.Bytes32();
        var micros = reader.UInt();
        var signature = reader.FixedBytes(SigningKey.SignatureSize);
        LogStatement statement = kind switch
        {
            HeadKind => new HeadStatement(new(document, server, size, root, micros, signature)),
            GenerationKind => new GenerationStatement(new(document, server, (uint)reader.UInt(uint.MaxValue), size, root, micros, signature)),
            _ => ReadReceipt(reader, server, new(document, reader.Id<EnvelopeId>(), unchecked(size - 1), size, root, micros), signature),
        };
        reader.EndArray();
        return statement;
    }

    private static ReceiptStatement ReadReceipt(CanonicalReader reader, PeerId server, ReceiptLeaf leaf, byte[] signature) =>
        new(new(leaf, reader.SmallInt(), reader.SmallInt(), reader.Array(MaxPath, reader.Bytes32), signature, server));

    private void Begin(CanonicalWriter writer, int items, int kind, byte[] signature)
    {
        writer.BeginArray(items);
        writer.UInt((ulong)kind);
        writer.UInt(Size);
        writer.Bytes32(Root);
        writer.UInt(Micros);
        writer.Bytes(signature);
    }
}

/// <summary>A head as a statement.</summary>
/// <param name="Head">The head.</param>
public sealed record HeadStatement(LogHead Head) : LogStatement(Head.Document, Head.Server, Head.Size, Head.Root, Head.Micros)
{
    /// <inheritdoc />
    public override bool Verify() => Head.Verify();
}

/// <summary>A receipt as a statement.</summary>
/// <param name="Receipt">The receipt.</param>
public sealed record ReceiptStatement(Receipt Receipt)
    : LogStatement(Receipt.Leaf.Document, Receipt.Server, Receipt.Leaf.Size, Receipt.Leaf.Root, Receipt.Leaf.Micros)
{
    /// <inheritdoc />
    public override bool Verify() => Receipt.Verify();
}

/// <summary>A generation as a statement.</summary>
/// <param name="Generation">The generation.</param>
public sealed record GenerationStatement(Generation Generation)
    : LogStatement(Generation.Document, Generation.Server, Generation.Size, Generation.Root, Generation.Micros)
{
    /// <inheritdoc />
    public override bool Verify() => Generation.Verify();
}
