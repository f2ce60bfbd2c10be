using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>What goes into one part of a new envelope.</summary>
/// <param name="Zone">The part's zone.</param>
/// <param name="Epoch">An epoch of that zone.</param>
/// <param name="Key">The epoch's content key; it stays the caller's.</param>
/// <param name="Content">The operations.</param>
public sealed record PartDraft(ZoneId Zone, EnvelopeId Epoch, SecretKey Key, PartContent Content);

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
    public Envelope SealDelta(SigningKey author, IEntropy entropy, EnvelopeId epoch, SecretKey contentKey, PartContent content) =>
        Seal(EnvelopeType.Delta, author, entropy, [new(ZoneId.Root, epoch, contentKey, content)], default);

    /// <summary>Seals parts of operations, each under an epoch of its zone: a delta, or an envelope of a snapshot.</summary>
    /// <param name="type"><see cref="EnvelopeType.Delta"/> or <see cref="EnvelopeType.Snapshot"/>.</param>
    /// <param name="author">Who signs.</param>
    /// <param name="entropy">Unpredictable bytes.</param>
    /// <param name="parts">One for each zone, ascending by zone, at most <see cref="Limits.Parts"/>.</param>
    /// <param name="body">What a snapshot says of itself; empty for a delta.</param>
    public Envelope Seal(EnvelopeType type, SigningKey author, IEntropy entropy, IReadOnlyList<PartDraft> parts, ReadOnlySpan<byte> body)
    {
        var open = Header(type, author.Public) with
        {
            Parts = [.. parts.Select(part => new PartHeader(part.Zone, part.Epoch, 0, default, default))],
            BodyLength = body.Length,
            BodyHash = body.IsEmpty ? default : Hashing.Hash(Label.Body, body),
        };
        var core = open.CoreHash();
        var headers = new PartHeader[parts.Count];
        var sealedParts = new byte[parts.Count][];
        for (var i = 0; i < headers.Length; i++)
        {
            var (sealedPart, root) = parts[i].Content.Seal(entropy, parts[i].Key, core, i);
            headers[i] = new(parts[i].Zone, parts[i].Epoch, sealedPart.Length, Hashing.Hash(Label.Chash, sealedPart), root);
            sealedParts[i] = sealedPart;
        }

        return Envelope.Sign(author, open with { Parts = headers }, body, sealedParts);
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
