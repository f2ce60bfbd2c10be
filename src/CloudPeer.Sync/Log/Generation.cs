using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Log;

/// <summary>
/// A server's signed statement that it was restored from a backup: the document's log goes on from this size, and what it acknowledged beyond is
/// lost (log.md §6).
/// </summary>
/// <param name="Document">The document.</param>
/// <param name="Server">The signing server.</param>
/// <param name="Number">Rises by one or more; a log that was never restored is in generation 0.</param>
/// <param name="Size">Envelopes in the log that was restored.</param>
/// <param name="Root">Its root.</param>
/// <param name="Micros">The server's clock when the generation began, microseconds since 1970.</param>
/// <param name="Signature">64 bytes.</param>
public sealed record Generation(DocId Document, PeerId Server, uint Number, ulong Size, Bytes32 Root, ulong Micros, byte[] Signature)
{
    /// <summary>Signs a generation.</summary>
    public static Generation Sign(SigningKey server, DocId document, uint number, ulong size, Bytes32 root, ulong micros) =>
        new(document, server.Public, number, size, root, micros, server.Sign(Label.GenerationSig, Hash(document, number, size, root, micros)));

    /// <summary>True if the signature is the server's.</summary>
    public bool Verify() => SigningKey.Verify(Server, Label.GenerationSig, Hash(Document, Number, Size, Root, Micros), Signature);

    /// <summary>True if a statement of that size and time belongs to an earlier generation and lies beyond what was restored (log.md §6.4).</summary>
    public bool TakesBack(ulong size, ulong micros) => size > Size && micros < Micros;

    private static Bytes32 Hash(DocId document, uint number, ulong size, Bytes32 root, ulong micros)
    {
        Span<byte> bytes = stackalloc byte[84];
        document.Value.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], number);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[36..], size);
        root.CopyTo(bytes[44..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[76..], micros);
        return Hashing.Hash(Label.Generation, bytes);
    }
}
