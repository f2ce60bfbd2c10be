using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// A server's signed statement of how long a document's log is and what its root is (docs/protocol/log.md §3). Two heads of one server
/// that contradict each other are proof of a fork.
/// </summary>
/// <param name="Document">The document.</param>
/// <param name="Server">The signing server.</param>
/// <param name="Size">Envelopes in the log.</param>
/// <param name="Root">Root of the RFC 6962 tree over their ids.</param>
/// <param name="Micros">The server's clock, microseconds since 1970.</param>
/// <param name="Signature">64 bytes.</param>
public sealed record LogHead(DocId Document, PeerId Server, ulong Size, Bytes32 Root, ulong Micros, byte[] Signature)
{
    /// <summary>Signs a head.</summary>
    public static LogHead Sign(SigningKey server, DocId document, ulong size, Bytes32 root, ulong micros) =>
        new(document, server.Public, size, root, micros, server.Sign(Label.HeadSig, Hash(document, size, root, micros)));

    /// <summary>True if the signature is the server's.</summary>
    public bool Verify() => SigningKey.Verify(Server, Label.HeadSig, Hash(Document, Size, Root, Micros), Signature);

    private static Bytes32 Hash(DocId document, ulong size, Bytes32 root, ulong micros)
    {
        Span<byte> bytes = stackalloc byte[80];
        document.Value.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[32..], size);
        root.CopyTo(bytes[40..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[72..], micros);
        return Hashing.Hash(Label.Head, bytes);
    }
}
