using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Log;

/// <summary>A signed head, and the proof that the log of an earlier size is its beginning (log.md §3.4).</summary>
/// <param name="Head">The head.</param>
/// <param name="Proof">RFC 6962 §2.1.2, from the earlier size to the head's; empty if there is nothing to prove.</param>
public sealed record ProvenHead(LogHead Head, IReadOnlyList<Bytes32> Proof)
{
    /// <summary>True if the server signed the head for the document, and the log that it stands for begins with the one that had this root. Needs nobody else.</summary>
    /// <param name="document">The document.</param>
    /// <param name="server">The server.</param>
    /// <param name="size">The earlier size, at which the proof begins.</param>
    /// <param name="root">The log's root at that size.</param>
    public bool Verify(DocId document, PeerId server, ulong size, Bytes32 root) =>
        Head.Document == document && Head.Server == server && Head.Verify() && MerkleTree.VerifyConsistency(size, root, Head.Size, Head.Root, Proof);
}
