using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>A cloudpeer that holds a document.</summary>
/// <param name="Server">Its PeerId.</param>
/// <param name="Url">Its address.</param>
public sealed record InvitedServer(PeerId Server, string Url);

/// <summary>A log head the inviter has verified; the invited device refuses a server that shows less.</summary>
/// <param name="Server">The server.</param>
/// <param name="Size">Envelopes in its log.</param>
/// <param name="Root">The log's root.</param>
public sealed record PinnedHead(PeerId Server, ulong Size, Bytes32 Root);

/// <summary>
/// An invitation to a document: the body of a message of type 1 (docs/protocol/account.md §4). It holds no keys; those travel in the document.
/// </summary>
/// <param name="Document">The document.</param>
/// <param name="Servers">Where it is held.</param>
/// <param name="Grant">The invited account's grant.</param>
/// <param name="Schema">The schema's name, to show.</param>
/// <param name="Note">A line from the inviter.</param>
/// <param name="Heads">Pinned log heads.</param>
/// <param name="PolicyHeads">Pinned policy heads.</param>
public sealed record Invitation(
    DocId Document,
    IReadOnlyList<InvitedServer> Servers,
    GrantId Grant,
    string Schema,
    string Note,
    IReadOnlyList<PinnedHead> Heads,
    IReadOnlyList<EnvelopeId> PolicyHeads)
{
    /// <summary>The message type of invitations.</summary>
    public const int MessageType = 1;

    private const int Items = 7;

    /// <summary>The most servers that are named for a document.</summary>
    public const int MaxServers = 16;

    /// <summary>Bytes of a server's address.</summary>
    internal const int MaxUrlBytes = 512;

    /// <summary>The inviter's delivery token, so that the invited person's messages are a contact's; null in invitations from before there were any.</summary>
    public DeliveryToken? Token { get; init; }

    /// <summary>The canonical bytes.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(Token is null ? Items : Items + 1);
        writer.Id(Document);
        writer.Array(Servers, server =>
        {
            writer.BeginArray(2);
            writer.Id(server.Server);
            writer.Text(server.Url);
            writer.EndArray();
        });
        writer.Id(Grant);
        writer.Text(Schema);
        writer.Text(Note);
        writer.Array(Heads, head =>
        {
            writer.BeginArray(3);
            writer.Id(head.Server);
            writer.UInt(head.Size);
            writer.Bytes32(head.Root);
            writer.EndArray();
        });
        writer.Array(PolicyHeads, writer.Id);
        if (Token is { } token) writer.Bytes(token.Bytes);
        writer.EndArray();
    });

    /// <summary>Decodes an invitation.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out Invitation? invitation, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.MessageBytes, Read, out invitation, out error);

    private static Invitation Read(CanonicalReader reader)
    {
        var items = reader.BeginArrayUpTo(Items + 1);
        CanonicalReader.Require(items >= Items, "an invitation has seven or eight items");
        var document = reader.Id<DocId>();
        var servers = reader.Array(MaxServers, () =>
        {
            reader.BeginArray(2);
            var server = new InvitedServer(reader.Id<PeerId>(), reader.Text(MaxUrlBytes));
            reader.EndArray();
            return server;
        });
        var (grant, schema, note) = (reader.Id<GrantId>(), reader.Text(Limits.NameBytes), reader.Text(Limits.NoteBytes));
        var heads = reader.Array(MaxServers, () =>
        {
            reader.BeginArray(3);
            var head = new PinnedHead(reader.Id<PeerId>(), reader.UInt(), reader.Bytes32());
            reader.EndArray();
            return head;
        });
        var policyHeads = reader.Array(Limits.Auth, reader.Id<EnvelopeId>);
        var token = items > Items ? new DeliveryToken(reader.FixedBytes(DeliveryToken.Size)) : null;
        reader.EndArray();
        return new(document, servers, grant, schema, note, heads, policyHeads) { Token = token };
    }
}
