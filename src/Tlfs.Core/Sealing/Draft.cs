using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>Where in its author's chain and in the document's history a new envelope stands.</summary>
/// <param name="Document">The document.</param>
/// <param name="Seq">Place in the author's chain, from 1.</param>
/// <param name="Prev">The author's previous envelope, zero at 1.</param>
/// <param name="Deps">Heads of other authors' chains, in any order.</param>
/// <param name="Auth">Policy heads, in any order.</param>
/// <param name="Seen">The last verified log head to carry, if any.</param>
public sealed record Draft(
    DocId Document, ulong Seq, EnvelopeId Prev, IReadOnlyCollection<EnvelopeId> Deps, IReadOnlyCollection<EnvelopeId> Auth, LogHead? Seen)
{
    /// <summary>The first envelope of an author that has seen nothing: a genesis.</summary>
    public static Draft First(DocId document) => new(document, 1, default, [], [], null);

    /// <summary>Seals one part of operations in zone 0 under an epoch's content key.</summary>
    public Envelope SealDelta(SigningKey author, IEntropy entropy, EnvelopeId epoch, SecretKey contentKey, PartContent content)
    {
        var open = Header(EnvelopeType.Delta, author.Public) with { Parts = [new(ZoneId.Root, epoch, 0, default, default)] };
        var (part, root) = content.Seal(entropy, contentKey, open.CoreHash(), 0);
        var sealedPart = new PartHeader(ZoneId.Root, epoch, part.Length, Hashing.Hash(Label.Chash, part), root);
        return Envelope.Sign(author, open with { Parts = [sealedPart] }, default, [part]);
    }

    /// <summary>Signs a public statement.</summary>
    public Envelope SignStatement(SigningKey author, ReadOnlySpan<byte> body)
    {
        if (body.Length > Limits.BodyBytes) throw new TlfsException(Reason.TooLarge, $"a statement has at most {Limits.BodyBytes} bytes");
        var header = Header(EnvelopeType.Policy, author.Public) with { BodyLength = body.Length, BodyHash = Hashing.Hash(Label.Body, body) };
        return Envelope.Sign(author, header, body, []);
    }

    private EnvelopeHeader Header(EnvelopeType type, PeerId author) =>
        new(type, Document, author, Seq, Prev, [.. Deps.Order()], [.. Auth.Order()], Seen, [], 0, default);
}
