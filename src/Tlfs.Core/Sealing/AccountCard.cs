using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// An account's self-certifying card (docs/protocol/account.md §1): which device it has and to which key others seal. An instance is verified.
/// </summary>
/// <param name="Account">The account.</param>
/// <param name="Device">Its device.</param>
/// <param name="KemGeneration">The generation of its KEM key.</param>
/// <param name="KemPublic">The X25519 key to seal to.</param>
/// <param name="Bytes">The card as it travels, at most <see cref="Limits.CardBytes"/>.</param>
public sealed record AccountCard(AccountId Account, PeerId Device, uint KemGeneration, Bytes32 KemPublic, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The account as the actor of a grant.</summary>
    public AccountActor Actor => new(Account, Device, Bytes);

    /// <summary>Decodes a card and checks everything that it proves.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out AccountCard? card, out DecodeError error) =>
        TryDecode(bytes, verified: false, out card, out error);

    private static bool TryDecode(ReadOnlyMemory<byte> bytes, bool verified, [NotNullWhen(true)] out AccountCard? card, out DecodeError error)
    {
        card = null;
        if (!Canonical.TryDecode(bytes, Limits.CardBytes, ReadPair, out var pair, out error)) return false;
        if (!Envelope.TryDecode(pair.Genesis, out var genesis, out error) || !Envelope.TryDecode(pair.Key, out var key, out error)) return false;
        error = new(Reason.Malformed, "not an account card");
        if (!Statement.TryDecode(genesis.Body, NoCards, out var first, out _) || !Statement.TryDecode(key.Body, NoCards, out var second, out _)) return false;
        if (first is not Genesis { Kind: DocumentKind.Account, Actor: PeerActor device } begin || second is not AccountKey kem) return false;
        if (begin.Document != genesis.Header.Document || !IsGenesis(genesis) || !Follows(key, genesis, device.Id)) return false;
        if (!verified && !KemKey.IsUsable(kem.PublicKey)) return false;
        error = new(Reason.BadSignature, "a signature of the account card does not verify");
        if (!verified && (!genesis.VerifySignature() || !key.VerifySignature())) return false;
        error = default;
        card = new(new(begin.Document.Value), device.Id, kem.Generation, kem.PublicKey, bytes);
        return true;
    }

    /// <summary>The check that statements with account actors need (statements.md §2).</summary>
    public static bool Verify(AccountId account, ReadOnlyMemory<byte> card, out PeerId device) => Check(account, card, verified: false, out device);

    /// <summary>The same for a card that was verified before, and kept where nobody else writes: its signatures are not checked again.</summary>
    public static bool ReadVerified(AccountId account, ReadOnlyMemory<byte> card, out PeerId device) => Check(account, card, verified: true, out device);

    private static bool Check(AccountId account, ReadOnlyMemory<byte> card, bool verified, out PeerId device)
    {
        var proven = TryDecode(card, verified, out var decoded, out _) && decoded.Account == account;
        device = proven ? decoded!.Device : default;
        return proven;
    }

    internal static AccountCard Of(Envelope genesis, Envelope key)
    {
        var bytes = Canonical.Encode(writer => writer.Array<ReadOnlyMemory<byte>>([genesis.Bytes, key.Bytes], envelope => writer.Bytes(envelope.Span)));
        return TryDecode(bytes, out var card, out var error) ? card : throw new InvalidOperationException(error.Detail);
    }

    // A genesis stands alone: signed by the document's own key, first of its chain, with nothing before it.
    internal static bool IsGenesis(Envelope envelope) =>
        envelope.Header is { Seq: 1, Deps.Count: 0, Auth.Count: 0 } header && header.Author == header.Document.Authority;

    private static bool Follows(Envelope key, Envelope genesis, PeerId device) =>
        key.Header.Document == genesis.Header.Document && key.Header.Author == device && key.Header.Seq == 1
        && key.Header.Auth.Count == 1 && key.Header.Auth[0] == genesis.Id;

    private static (byte[] Genesis, byte[] Key) ReadPair(CanonicalReader reader)
    {
        reader.BeginArray(2);
        var pair = (reader.Bytes(Limits.CardBytes), reader.Bytes(Limits.CardBytes));
        reader.EndArray();
        return pair;
    }

    private static bool NoCards(AccountId account, ReadOnlyMemory<byte> card, out PeerId device)
    {
        device = default;
        return false;
    }
}
