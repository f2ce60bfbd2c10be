using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>The two keys of an epoch and how they travel (docs/protocol/statements.md §5).</summary>
internal sealed class EpochKeys : IDisposable
{
    private EpochKeys(SecretKey content, SecretKey history)
    {
        Content = content;
        History = history;
    }

    /// <summary>The content key K.</summary>
    public SecretKey Content { get; }

    /// <summary>The history key HK.</summary>
    public SecretKey History { get; }

    public Bytes32 Commit => Hashing.Commit(Content);

    public Bytes32 CommitHistory => Hashing.Commit(History);

    public static EpochKeys Generate(IEntropy entropy) => new(SecretKey.Random(entropy), SecretKey.Random(entropy));

    /// <summary>Step 10 of the receiver: keys count only if both match the commitments of the epoch's rotate.</summary>
    public bool Match(Rotate rotate) => Commit == rotate.Commit && CommitHistory == rotate.CommitHistory;

    /// <summary>Seals both keys to an account (§5.2).</summary>
    public KeyWrap WrapFor(IEntropy entropy, DocId document, AccountCard recipient)
    {
        using var pair = Pair();
        var info = WrapInfo(document, Commit, recipient.Account.Value, recipient.KemGeneration);
        var message = Hpke.Seal(entropy, recipient.KemPublic, info, pair.Bytes);
        return new(RecipientKind.Account, recipient.Account.Value, recipient.KemGeneration, message.Encapsulation, message.Ciphertext);
    }

    /// <summary>Opens a wrap for this account, or null; the result is not yet checked against the commitments.</summary>
    public static EpochKeys? Unwrap(AccountKeys own, DocId document, Rotate rotate, KeyWrap wrap)
    {
        var info = WrapInfo(document, rotate.Commit, wrap.Recipient, wrap.KemGeneration);
        if (!Hpke.TryOpen(own.Kem, new(wrap.Enc, wrap.Ciphertext.ToArray()), info, out var pair)) return null;
        using (pair) return Split(pair.Bytes);
    }

    /// <summary>Seals an earlier epoch's keys under this epoch's history key (§5.3).</summary>
    public HistWrap HistWrapFor(IEntropy entropy, DocId document, EnvelopeId previous, EpochKeys previousKeys)
    {
        using var pair = previousKeys.Pair();
        using var key = HistKey(document);
        return new(previous, Aead.Seal(entropy, key, pair.Bytes, HistAssociatedData(document, previous)));
    }

    /// <summary>Opens an earlier epoch's keys, or null; the result is not yet checked against the commitments.</summary>
    public EpochKeys? OpenHistory(DocId document, HistWrap wrap)
    {
        using var key = HistKey(document);
        if (!Aead.TryOpen(key, wrap.Sealed.Span, HistAssociatedData(document, wrap.Epoch), out var pair)) return null;
        using var secret = new SecretKey(pair);
        Array.Clear(pair);
        return Split(secret.Bytes);
    }

    public void Dispose()
    {
        Content.Dispose();
        History.Dispose();
    }

    private static EpochKeys? Split(ReadOnlySpan<byte> pair) =>
        pair.Length == 2 * SecretKey.Size ? new(new(pair[..SecretKey.Size]), new(pair[SecretKey.Size..])) : null;

    private SecretKey Pair()
    {
        Span<byte> pair = stackalloc byte[2 * SecretKey.Size];
        Content.Bytes.CopyTo(pair);
        History.Bytes.CopyTo(pair[SecretKey.Size..]);
        var secret = new SecretKey(pair);
        pair.Clear();
        return secret;
    }

    private SecretKey HistKey(DocId document) => Hashing.Derive(Label.HistWrap, History.Bytes, EpochContext(document));

    private byte[] HistAssociatedData(DocId document, EnvelopeId previous) => Label.HistWrapAd.Prefix(EpochContext(document), previous.Value.ToArray());

    private byte[] EpochContext(DocId document) => [.. document.Value.ToArray(), .. ZoneId.Root.ToArray(), .. Commit.ToArray()];

    private static byte[] WrapInfo(DocId document, Bytes32 commit, Bytes32 recipient, uint generation)
    {
        byte[] context = [.. document.Value.ToArray(), .. ZoneId.Root.ToArray(), .. commit.ToArray(), .. recipient.ToArray()];
        return Label.WrapInfo.Prefix(context, [(byte)(generation >> 24), (byte)(generation >> 16), (byte)(generation >> 8), (byte)generation]);
    }
}
