using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// An epoch as everything that is sealed for it names it, and the ways in which its keys travel (docs/protocol/statements.md §5.2, §5.3). What is
/// opened here is not yet checked against the commitments.
/// </summary>
/// <param name="Document">The document.</param>
/// <param name="Zone">The epoch's zone.</param>
/// <param name="Commit">The commitment to its content key.</param>
internal readonly record struct EpochContext(DocId Document, ZoneId Zone, Bytes32 Commit)
{
    /// <summary>Seals the content key, and the history key if one is given, to an account.</summary>
    public KeyWrap WrapFor(IEntropy entropy, AccountCard recipient, SecretKey content, SecretKey? history)
    {
        using var keys = Join(content, history);
        var message = Hpke.Seal(entropy, recipient.KemPublic, WrapInfo(recipient.Account.Value, recipient.KemGeneration), keys.Bytes);
        return new(RecipientKind.Account, recipient.Account.Value, recipient.KemGeneration, message.Encapsulation, message.Ciphertext);
    }

    /// <summary>Opens a wrap for this account: the content key, and the history key after it if the wrap has one; null for another's or garbage.</summary>
    public SecretKey? Unwrap(AccountKeys own, KeyWrap wrap) =>
        Hpke.TryOpen(own.Kem, new(wrap.Enc, wrap.Ciphertext.ToArray()), WrapInfo(wrap.Recipient, wrap.KemGeneration), out var keys) ? keys : null;

    /// <summary>Seals an earlier epoch's keys under this epoch's history key.</summary>
    public HistWrap HistWrapFor(IEntropy entropy, SecretKey history, EnvelopeId previous, SecretKey previousContent, SecretKey previousHistory)
    {
        using var keys = Join(previousContent, previousHistory);
        using var key = Hashing.Derive(Label.HistWrap, history.Bytes, ToArray());
        return new(previous, Aead.Seal(entropy, key, keys.Bytes, AssociatedData(Label.HistWrapAd, previous)));
    }

    /// <summary>Opens an earlier epoch's content and history key.</summary>
    public SecretKey? OpenHistory(SecretKey history, HistWrap wrap) =>
        Open(Label.HistWrap, history, wrap.Sealed.Span, AssociatedData(Label.HistWrapAd, wrap.Epoch));

    /// <summary>Seals this epoch's keys under those of an epoch of the parent zone.</summary>
    public ParentWrap ParentWrapFor(
        IEntropy entropy, EnvelopeId parentEpoch, SecretKey parentContent, SecretKey parentHistory, SecretKey content, SecretKey history)
    {
        using var key = Hashing.Derive(Label.ParentWrap, parentContent.Bytes, ToArray());
        using var historyKey = Hashing.Derive(Label.ParentWrap, parentHistory.Bytes, ToArray());
        return new(
            parentEpoch, Aead.Seal(entropy, key, content.Bytes, AssociatedData(Label.ParentWrapAd, parentEpoch)),
            Aead.Seal(entropy, historyKey, history.Bytes, AssociatedData(Label.ParentHistWrapAd, parentEpoch)));
    }

    /// <summary>Opens this epoch's content key with that of an epoch of the parent zone.</summary>
    public SecretKey? OpenParentKey(SecretKey parentContent, ParentWrap wrap) =>
        Open(Label.ParentWrap, parentContent, wrap.SealedKey.Span, AssociatedData(Label.ParentWrapAd, wrap.ParentEpoch));

    /// <summary>Opens this epoch's history key with that of an epoch of the parent zone.</summary>
    public SecretKey? OpenParentHistory(SecretKey parentHistory, ParentWrap wrap) =>
        Open(Label.ParentWrap, parentHistory, wrap.SealedHistory.Span, AssociatedData(Label.ParentHistWrapAd, wrap.ParentEpoch));

    /// <summary><c>doc ‖ zone ‖ commit</c>.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Bytes32.Size + ZoneId.Size + Bytes32.Size];
        Document.Value.CopyTo(bytes);
        Zone.CopyTo(bytes.AsSpan(Bytes32.Size));
        Commit.CopyTo(bytes.AsSpan(Bytes32.Size + ZoneId.Size));
        return bytes;
    }

    private SecretKey? Open(Label label, SecretKey under, ReadOnlySpan<byte> @sealed, byte[] associatedData)
    {
        using var key = Hashing.Derive(label, under.Bytes, ToArray());
        if (!Aead.TryOpen(key, @sealed, associatedData, out var opened)) return null;
        var secret = new SecretKey(opened);
        SecretKey.Zero(opened);
        return secret;
    }

    private static SecretKey Join(SecretKey content, SecretKey? history)
    {
        Span<byte> keys = stackalloc byte[2 * SecretKey.Size];
        content.Bytes.CopyTo(keys);
        history?.Bytes.CopyTo(keys[SecretKey.Size..]);
        var joined = new SecretKey(history is null ? keys[..SecretKey.Size] : keys);
        SecretKey.Zero(keys);
        return joined;
    }

    private byte[] AssociatedData(Label label, EnvelopeId epoch) => label.Prefix(ToArray(), epoch.Value.ToArray());

    private byte[] WrapInfo(Bytes32 recipient, uint generation) => Label.WrapInfo.Prefix(
        ToArray(), recipient.ToArray(), [(byte)(generation >> 24), (byte)(generation >> 16), (byte)(generation >> 8), (byte)generation]);
}
