using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>A path that is hidden behind a commitment, and the salt that opens it: of a zone (docs/protocol/statements.md §6.2) or of a grant (§6.4).</summary>
/// <param name="Salt">What keeps the commitment from being guessed.</param>
/// <param name="Path">The path.</param>
internal sealed record PathOpening(Salt Salt, StoragePath Path)
{
    /// <summary>A path with a new salt.</summary>
    public static PathOpening Hide(IEntropy entropy, StoragePath path) => new(new(entropy.Bytes(Salt.Size)), path);

    /// <summary>The commitment in a zone's <see cref="ZoneCreate"/>.</summary>
    public Bytes32 ZoneCommit(DocId document) => Commit(Label.ZonePath, document);

    /// <summary>The commitment in a grant's <see cref="SubPath"/>.</summary>
    public Bytes32 SubCommit(DocId document) => Commit(Label.SubPath, document);

    /// <summary>Seals a zone's opening and those of the zones it lies in, from the nearest up, for who has the content key of its epoch.</summary>
    public static byte[] SealZone(IEntropy entropy, EpochContext epoch, SecretKey content, IReadOnlyList<PathOpening> chain) =>
        Seal(entropy, epoch, content, Label.ZonePath, Label.ZonePathAd, Canonical.Encode(writer => writer.Array(chain, opening => opening.Write(writer))));

    /// <summary>Opens what <see cref="SealZone"/> made, without looking at commitments; null for garbage.</summary>
    public static IReadOnlyList<PathOpening>? OpenZone(EpochContext epoch, SecretKey content, ReadOnlySpan<byte> @sealed) =>
        Open(epoch, content, Label.ZonePath, Label.ZonePathAd, @sealed, reader => reader.Array(Limits.ZoneDepth, () => Read(reader)));

    /// <summary>Hides the path of a grant, sealed under an epoch of the grant's zone.</summary>
    public SubPath SealSub(IEntropy entropy, EnvelopeId id, EpochContext epoch, SecretKey content) =>
        new(SubCommit(epoch.Document), id, Seal(entropy, epoch, content, Label.SubPath, Label.SubPathAd, Canonical.Encode(Write)));

    /// <summary>Opens the path of a grant; null unless it is the one that the grant commits to.</summary>
    public static PathOpening? OpenSub(EpochContext epoch, SecretKey content, SubPath sub) =>
        Open(epoch, content, Label.SubPath, Label.SubPathAd, sub.Sealed.Span, Read) is { } opening && opening.SubCommit(epoch.Document) == sub.Commit ? opening : null;

    private Bytes32 Commit(Label label, DocId document)
    {
        Span<byte> start = stackalloc byte[Bytes32.Size + Salt.Size];
        document.Value.CopyTo(start);
        Salt.CopyTo(start[Bytes32.Size..]);
        return Hashing.Hash(label, start, Path.Bytes);
    }

    private static byte[] Seal(IEntropy entropy, EpochContext epoch, SecretKey content, Label label, Label ad, byte[] plain)
    {
        using var key = Hashing.Derive(label, content.Bytes, epoch.ToArray());
        var padded = Padding.Pad(plain, Padding.PaddedLength);
        if (padded.Length + Aead.Overhead > Limits.SealedPathBytes)
            throw new TlfsException(Reason.TooLarge, $"the path of a zone and of those it lies in take at most {Limits.SealedPathBytes} bytes together");
        return Aead.Seal(entropy, key, padded, ad.Prefix(epoch.ToArray()));
    }

    private static T? Open<T>(EpochContext epoch, SecretKey content, Label label, Label ad, ReadOnlySpan<byte> @sealed, Func<CanonicalReader, T> read)
        where T : class
    {
        using var key = Hashing.Derive(label, content.Bytes, epoch.ToArray());
        return Aead.TryOpen(key, @sealed, ad.Prefix(epoch.ToArray()), out var padded) && Padding.TryUnpad(padded, Padding.PaddedLength, out var plain)
            && Canonical.TryDecode(plain, Limits.SealedPathBytes, read, out var opened, out _) ? opened : null;
    }

    private void Write(CanonicalWriter writer)
    {
        writer.BeginArray(2);
        writer.Salt(Salt);
        writer.Bytes(Path.Bytes);
        writer.EndArray();
    }

    private static PathOpening Read(CanonicalReader reader)
    {
        reader.BeginArray(2);
        var opening = new PathOpening(reader.Salt(), Opening.ReadPath(reader));
        reader.EndArray();
        return opening;
    }
}
