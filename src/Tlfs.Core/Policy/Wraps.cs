using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>To whom an epoch's keys are sealed. The values are those on the wire.</summary>
public enum RecipientKind
{
    /// <summary>A device or server; the recipient is its PeerId.</summary>
    Peer = 0,
    /// <summary>An account; the recipient is its AccountId.</summary>
    Account = 1,
}

/// <summary>An epoch's keys sealed to one recipient (docs/protocol/statements.md §3, §5.2). Ordered by kind, recipient and generation.</summary>
/// <param name="Kind">What the recipient is.</param>
/// <param name="Recipient">The 32 bytes of its id.</param>
/// <param name="KemGeneration">Which of the recipient's KEM keys.</param>
/// <param name="Enc">HPKE's encapsulated key.</param>
/// <param name="Ciphertext">
/// <c>K ‖ HK</c> sealed, <see cref="CiphertextBytes"/> bytes, or <c>K</c> alone, <see cref="ContentKeyOnlyBytes"/> bytes.
/// </param>
public sealed record KeyWrap(RecipientKind Kind, Bytes32 Recipient, uint KemGeneration, Bytes32 Enc, ReadOnlyMemory<byte> Ciphertext)
    : IComparable<KeyWrap>
{
    /// <summary>Bytes of <see cref="Ciphertext"/> with both keys: two keys and a tag.</summary>
    public const int CiphertextBytes = 32 + 32 + 16;

    /// <summary>Bytes of <see cref="Ciphertext"/> with the content key only: a key and a tag.</summary>
    public const int ContentKeyOnlyBytes = 32 + 16;

    /// <summary>True if the history key is given too.</summary>
    public bool HasHistory => Ciphertext.Length == CiphertextBytes;

    /// <summary>Compares recipients only: kind, id, generation.</summary>
    public int CompareTo(KeyWrap? other)
    {
        if (other is null) return 1;
        var order = Kind.CompareTo(other.Kind);
        if (order == 0) order = Recipient.CompareTo(other.Recipient);
        return order == 0 ? KemGeneration.CompareTo(other.KemGeneration) : order;
    }

    /// <summary>Equal in every field.</summary>
    public bool Equals(KeyWrap? other) =>
        CompareTo(other) == 0 && Enc == other!.Enc && Ciphertext.Span.SequenceEqual(other.Ciphertext.Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Kind, Recipient, KemGeneration, Enc);

    internal void Write(CanonicalWriter writer)
    {
        writer.BeginArray(5);
        writer.UInt((ulong)Kind);
        writer.Bytes32(Recipient);
        writer.UInt(KemGeneration);
        writer.Bytes32(Enc);
        writer.Bytes(Ciphertext.Span);
        writer.EndArray();
    }

    internal static KeyWrap Read(CanonicalReader reader)
    {
        reader.BeginArray(5);
        var kind = reader.UInt();
        CanonicalReader.Require(kind <= (ulong)RecipientKind.Account, "recipient kind is not known", Reason.Unsupported);
        var wrap = new KeyWrap(
            (RecipientKind)kind, reader.Bytes32(), (uint)reader.UInt(uint.MaxValue), reader.Bytes32(), reader.Bytes(CiphertextBytes));
        CanonicalReader.Require(wrap.Ciphertext.Length is CiphertextBytes or ContentKeyOnlyBytes, "a wrap holds one key or two");
        reader.EndArray();
        return wrap;
    }
}

/// <summary>An earlier epoch's keys sealed under a later one's history key (docs/protocol/statements.md §5.3). Ordered by epoch.</summary>
/// <param name="Epoch">The earlier epoch: the id of its rotate.</param>
/// <param name="Sealed">Nonce and ciphertext, <see cref="SealedBytes"/> bytes.</param>
public sealed record HistWrap(EnvelopeId Epoch, ReadOnlyMemory<byte> Sealed) : IComparable<HistWrap>
{
    /// <summary>Bytes of <see cref="Sealed"/>: nonce, two keys, tag.</summary>
    public const int SealedBytes = 24 + 32 + 32 + 16;

    /// <summary>Compares epochs only.</summary>
    public int CompareTo(HistWrap? other) => other is null ? 1 : Epoch.CompareTo(other.Epoch);

    /// <summary>Equal in every field.</summary>
    public bool Equals(HistWrap? other) => CompareTo(other) == 0 && Sealed.Span.SequenceEqual(other!.Sealed.Span);

    /// <inheritdoc />
    public override int GetHashCode() => Epoch.GetHashCode();

    internal void Write(CanonicalWriter writer)
    {
        writer.BeginArray(2);
        writer.Id(Epoch);
        writer.Bytes(Sealed.Span);
        writer.EndArray();
    }

    internal static HistWrap Read(CanonicalReader reader)
    {
        reader.BeginArray(2);
        var wrap = new HistWrap(reader.Id<EnvelopeId>(), reader.FixedBytes(SealedBytes));
        reader.EndArray();
        return wrap;
    }
}

/// <summary>
/// An epoch's keys sealed under those of an epoch of the parent zone (docs/protocol/statements.md §5.2): content key under content key,
/// history key under history key. Ordered by the parent's epoch.
/// </summary>
/// <param name="ParentEpoch">The parent zone's epoch: the id of its rotate.</param>
/// <param name="SealedKey">Nonce and ciphertext, <see cref="SealedBytes"/> bytes.</param>
/// <param name="SealedHistory">Nonce and ciphertext, <see cref="SealedBytes"/> bytes.</param>
public sealed record ParentWrap(EnvelopeId ParentEpoch, ReadOnlyMemory<byte> SealedKey, ReadOnlyMemory<byte> SealedHistory) : IComparable<ParentWrap>
{
    /// <summary>Bytes of each of the two: nonce, key, tag.</summary>
    public const int SealedBytes = 24 + 32 + 16;

    /// <summary>Compares epochs only.</summary>
    public int CompareTo(ParentWrap? other) => other is null ? 1 : ParentEpoch.CompareTo(other.ParentEpoch);

    /// <summary>Equal in every field.</summary>
    public bool Equals(ParentWrap? other) =>
        CompareTo(other) == 0 && SealedKey.Span.SequenceEqual(other!.SealedKey.Span) && SealedHistory.Span.SequenceEqual(other.SealedHistory.Span);

    /// <inheritdoc />
    public override int GetHashCode() => ParentEpoch.GetHashCode();

    internal void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.Id(ParentEpoch);
        writer.Bytes(SealedKey.Span);
        writer.Bytes(SealedHistory.Span);
        writer.EndArray();
    }

    internal static ParentWrap Read(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var wrap = new ParentWrap(reader.Id<EnvelopeId>(), reader.FixedBytes(SealedBytes), reader.FixedBytes(SealedBytes));
        reader.EndArray();
        return wrap;
    }
}
