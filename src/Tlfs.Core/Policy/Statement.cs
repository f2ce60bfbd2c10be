using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// The body of a policy envelope (docs/protocol/statements.md §3). Closed: no other kinds exist in this version. Values made by hand
/// must keep the orders and limits of the format; <c>TryDecode</c> accepts nothing else.
/// </summary>
public abstract record Statement
{
    private protected Statement()
    {
    }

    /// <summary>The canonical bytes.</summary>
    public byte[] Encode() => Canonical.Encode(writer => StatementCodec.Write(writer, this));

    /// <summary>Reads a body that is no <see cref="Equivocation"/>; never throws for any input.</summary>
    /// <param name="body">The bytes as received.</param>
    /// <param name="cards">Checks the cards of account actors.</param>
    /// <param name="statement">The statement, when true is returned.</param>
    /// <param name="error"><see cref="Reason.TooLarge"/>, <see cref="Reason.Malformed"/> or <see cref="Reason.Unsupported"/>, when false is returned.</param>
    public static bool TryDecode(
        ReadOnlyMemory<byte> body, CardVerifier cards, [MaybeNullWhen(false)] out Statement statement, out DecodeError error) =>
        TryDecode(body, cards, NoForks, out statement, out error);

    /// <summary>Reads any body; never throws for any input.</summary>
    /// <param name="body">The bytes as received.</param>
    /// <param name="cards">Checks the cards of account actors.</param>
    /// <param name="forks">Checks the proofs of forks.</param>
    /// <param name="statement">The statement, when true is returned.</param>
    /// <param name="error"><see cref="Reason.TooLarge"/>, <see cref="Reason.Malformed"/> or <see cref="Reason.Unsupported"/>, when false is returned.</param>
    public static bool TryDecode(
        ReadOnlyMemory<byte> body, CardVerifier cards, ForkVerifier forks, [MaybeNullWhen(false)] out Statement statement, out DecodeError error) =>
        Canonical.TryDecode(body, Limits.BodyBytes, reader => StatementCodec.Read(reader, cards, forks), out statement, out error);

    private static bool NoForks(SignedHeader first, SignedHeader second, out Fork fork)
    {
        fork = default;
        return false;
    }
}

/// <summary>What a document is for. The values are those on the wire, both as kind and as level.</summary>
public enum DocumentKind
{
    /// <summary>A person's devices and keys. Owners are ranked by seniority.</summary>
    Account = 0,
    /// <summary>An application's data.</summary>
    App = 1,
}

/// <summary>Begins a document and gives its creator Own on zone 0; the grant's id is the id of the envelope.</summary>
/// <param name="Document">The document.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Actor">Its creator.</param>
public sealed record Genesis(DocId Document, DocumentKind Kind, Actor Actor) : Statement;

/// <summary>Gives an actor a permission.</summary>
/// <param name="Actor">Who receives it.</param>
/// <param name="Permission">What it allows.</param>
/// <param name="Zone">Where.</param>
/// <param name="Parent">The grant that gives the author the right; null if the author is the document's authority.</param>
public sealed record Grant(Actor Actor, Permission Permission, ZoneId Zone, GrantId? Parent) : Statement
{
    /// <summary>The one path inside the zone that a <see cref="Permission.Write"/> covers; null for the whole zone.</summary>
    public SubPath? Sub { get; init; }

    /// <summary>True if the grant gives no history (§5.9): to an account, with <see cref="Permission.Read"/> or more.</summary>
    public bool FromNow { get; init; }
}

/// <summary>The hidden path of a grant (docs/protocol/statements.md §6.4).</summary>
/// <param name="Commit">Commitment to document, salt and path.</param>
/// <param name="Epoch">The epoch of the grant's zone whose content key seals the path.</param>
/// <param name="Sealed">Nonce and ciphertext, at most <see cref="Limits.SealedPathBytes"/>.</param>
public sealed record SubPath(Bytes32 Commit, EnvelopeId Epoch, ReadOnlyMemory<byte> Sealed)
{
    /// <summary>Equal in every field.</summary>
    public bool Equals(SubPath? other) =>
        other is not null && Commit == other.Commit && Epoch == other.Epoch && Sealed.Span.SequenceEqual(other.Sealed.Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Commit, Epoch);
}

/// <summary>Makes a zone; its id is <see cref="EnvelopeId.Zone"/> of the envelope (docs/protocol/statements.md §6).</summary>
/// <param name="Parent">The zone that it lies in.</param>
/// <param name="Grant">The author's own, with <see cref="Permission.Control"/> or more.</param>
/// <param name="PathCommit">Commitment to document, salt and path.</param>
public sealed record ZoneCreate(ZoneId Parent, GrantId Grant, Bytes32 PathCommit) : Statement;

/// <summary>Up to where one author's work still counts after a revocation.</summary>
/// <param name="Author">The author.</param>
/// <param name="Seq">The last sequence number that counts, at least 1.</param>
/// <param name="Envelope">The author's envelope with that number.</param>
public readonly record struct Cut(PeerId Author, ulong Seq, EnvelopeId Envelope);

/// <summary>Ends a grant.</summary>
/// <param name="Target">The grant that ends.</param>
/// <param name="Proof">The author's own grant; null if the author is the document's authority.</param>
/// <param name="Cuts">Ascending by author; an author without one has no work left that counts.</param>
public sealed record Revoke(GrantId Target, GrantId? Proof, IReadOnlyList<Cut> Cuts) : Statement
{
    /// <summary>The cut of an author, or null. Takes logarithmic time.</summary>
    public Cut? CutOf(PeerId author)
    {
        int low = 0, high = Cuts.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = Cuts[middle].Author.CompareTo(author);
            if (order == 0) return Cuts[middle];
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return null;
    }

    /// <summary>Equal in every field and cut.</summary>
    public bool Equals(Revoke? other) => other is not null && Target == other.Target && Proof == other.Proof && Cuts.SequenceEqual(other.Cuts);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Target, Proof, Cuts.Count);
}

/// <summary>Gives up a grant of the author's own.</summary>
/// <param name="Target">The grant.</param>
public sealed record Renounce(GrantId Target) : Statement;

/// <summary>Begins an epoch; the epoch's id is the id of the envelope (docs/protocol/statements.md §5).</summary>
/// <param name="Zone">The zone whose keys change.</param>
/// <param name="Number">0 without previous epochs, else one more than the greatest of theirs.</param>
/// <param name="PreviousEpochs">Ascending.</param>
/// <param name="Commit">Commitment to the content key.</param>
/// <param name="CommitHistory">Commitment to the history key.</param>
/// <param name="Wraps">The keys for each recipient, ascending.</param>
/// <param name="HistWraps">Earlier epochs' keys, ascending.</param>
public sealed record Rotate(
    ZoneId Zone,
    int Number,
    IReadOnlyList<EnvelopeId> PreviousEpochs,
    Bytes32 Commit,
    Bytes32 CommitHistory,
    IReadOnlyList<KeyWrap> Wraps,
    IReadOnlyList<HistWrap> HistWraps) : Statement
{
    /// <summary>The keys under those of the parent zone's epochs, ascending; none in zone 0.</summary>
    public IReadOnlyList<ParentWrap> ParentWraps { get; init; } = [];

    /// <summary>Where the zone is (§6.2): nonce and ciphertext, at most <see cref="Limits.SealedPathBytes"/>; null in zone 0, and only there.</summary>
    public ReadOnlyMemory<byte>? SealedPath { get; init; }

    /// <summary>Equal in every field and item.</summary>
    public bool Equals(Rotate? other) =>
        other is not null && Zone == other.Zone && Number == other.Number && PreviousEpochs.SequenceEqual(other.PreviousEpochs)
        && Commit == other.Commit && CommitHistory == other.CommitHistory
        && Wraps.SequenceEqual(other.Wraps) && ParentWraps.SequenceEqual(other.ParentWraps) && HistWraps.SequenceEqual(other.HistWraps)
        && SealedPath.HasValue == other.SealedPath.HasValue
        && SealedPath.GetValueOrDefault().Span.SequenceEqual(other.SealedPath.GetValueOrDefault().Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Zone, Number, Commit, CommitHistory);
}

/// <summary>Gives an epoch's keys to more recipients.</summary>
/// <param name="Zone">The epoch's zone.</param>
/// <param name="Epoch">The epoch.</param>
/// <param name="Wraps">The keys for each recipient, ascending.</param>
/// <param name="HistWraps">Earlier epochs' keys, ascending.</param>
public sealed record Wrap(ZoneId Zone, EnvelopeId Epoch, IReadOnlyList<KeyWrap> Wraps, IReadOnlyList<HistWrap> HistWraps) : Statement
{
    /// <summary>The keys under those of the parent zone's epochs, ascending; none in zone 0.</summary>
    public IReadOnlyList<ParentWrap> ParentWraps { get; init; } = [];

    /// <summary>Equal in every field and item.</summary>
    public bool Equals(Wrap? other) =>
        other is not null && Zone == other.Zone && Epoch == other.Epoch && Wraps.SequenceEqual(other.Wraps)
        && ParentWraps.SequenceEqual(other.ParentWraps) && HistWraps.SequenceEqual(other.HistWraps);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Zone, Epoch, Wraps.Count);
}

/// <summary>An account's KEM key; in account documents only.</summary>
/// <param name="Generation">Rises with each new key.</param>
/// <param name="PublicKey">The X25519 key (suite 1).</param>
/// <param name="CompromisedBelow">Keys of generations below this one must not be sealed to any more; at most <paramref name="Generation"/>.</param>
public sealed record AccountKey(uint Generation, Bytes32 PublicKey, uint CompromisedBelow) : Statement;
