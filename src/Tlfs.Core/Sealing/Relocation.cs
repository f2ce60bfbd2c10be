using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// Where documents are held from now on, told to those who have them already: the body of a message of type 2 (docs/protocol/account.md §5). Whether the server
/// may have them, the documents themselves say.
/// </summary>
/// <param name="Server">The server and its address.</param>
/// <param name="Documents">The documents, ascending, 1 to <see cref="MaxDocuments"/>.</param>
public sealed record Relocation(InvitedServer Server, IReadOnlyList<DocId> Documents)
{
    /// <summary>The message type.</summary>
    public const int MessageType = 2;

    /// <summary>The most documents of one message.</summary>
    public const int MaxDocuments = 256;

    /// <summary>The canonical bytes.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(3);
        writer.Id(Server.Server);
        writer.Text(Server.Url);
        writer.Array(Documents, writer.Id);
        writer.EndArray();
    });

    /// <summary>Decodes the body of such a message.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Relocation? relocation, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.MessageBytes, Read, out relocation, out error);

    private static Relocation Read(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var server = new InvitedServer(reader.Id<PeerId>(), reader.Text(Invitation.MaxUrlBytes));
        var documents = reader.Array(MaxDocuments, reader.Id<DocId>);
        reader.EndArray();
        CanonicalReader.Require(documents.Length > 0, "a document expected");
        CanonicalReader.RequireAscending(documents, "documents");
        return new(server, documents);
    }
}
