using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// What makes a replica this person's: the device's signing key, the account's KEM key, the account's card and its recovery set. In this version
/// an account has one device.
/// </summary>
public sealed class AccountKeys : IDisposable
{
    private const int MaxBytes = 64 << 10;

    private AccountKeys(SigningKey device, KemKey kem, AccountCard card, RecoverySet recovery)
    {
        Device = device;
        Kem = kem;
        Card = card;
        Recovery = recovery;
    }

    /// <summary>The device's signing key; its public half is the PeerId.</summary>
    public SigningKey Device { get; }

    /// <summary>The key to which others seal for this account.</summary>
    public KemKey Kem { get; }

    /// <summary>The account's public card.</summary>
    public AccountCard Card { get; }

    /// <summary>The account's secrets, sealed to its recovery phrase.</summary>
    public RecoverySet Recovery { get; }

    /// <summary>Makes a new account with this device (docs/protocol/account.md). The authority key ends up in the recovery set only.</summary>
    public static AccountKeys Create(IEntropy entropy, RecoveryPhrase phrase)
    {
        using var authority = SigningKey.Generate(entropy);
        using var device = SigningKey.Generate(entropy);
        using var kem = KemKey.Generate(entropy);
        var document = new DocId(authority.Public.Value);
        var genesis = Draft.First(document).SignStatement(
            authority, new Genesis(document, DocumentKind.Account, new PeerActor(device.Public)).Encode());
        var key = new Draft(document, 1, default, [genesis.Id], [genesis.Id], null).SignStatement(device, new AccountKey(1, kem.Public, 0).Encode());
        var recovery = RecoverySet.Create(entropy, phrase, authority, [(1, kem)]);
        return new(new(device.Seed), new(kem.Secret), AccountCard.Of(genesis, key), recovery);
    }

    /// <summary>The secrets and the card, to be stored where only this person can read.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(4);
        writer.Bytes(Device.Seed);
        writer.Bytes(Kem.Secret);
        writer.Bytes(Card.Bytes.Span);
        writer.Bytes(Recovery.Encode());
        writer.EndArray();
    });

    /// <summary>Reads what <see cref="Encode"/> wrote; false if it is damaged.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out AccountKeys? keys)
    {
        keys = null;
        if (!Canonical.TryDecode(bytes, MaxBytes, Read, out var stored, out _)) return false;
        if (!AccountCard.TryDecode(stored.Card, out var card, out _) || !RecoverySet.TryDecode(stored.Recovery, out var recovery, out _)) return false;
        keys = new(new SigningKey(stored.Device), new KemKey(stored.Kem), card, recovery);
        SecretKey.Zero(stored.Device);
        SecretKey.Zero(stored.Kem);
        if (keys.Device.Public == card.Device && keys.Kem.Public == card.KemPublic && recovery.Account == card.Account) return true;
        keys.Dispose();
        keys = null;
        return false;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Device.Dispose();
        Kem.Dispose();
    }

    private static (byte[] Device, byte[] Kem, byte[] Card, byte[] Recovery) Read(CanonicalReader reader)
    {
        reader.BeginArray(4);
        var stored = (reader.FixedBytes(SecretKey.Size), reader.FixedBytes(SecretKey.Size), reader.Bytes(Limits.CardBytes), reader.Bytes(MaxBytes));
        reader.EndArray();
        return stored;
    }
}
