using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// An account's authority key and KEM secrets, sealed to the key that its recovery phrase derives (docs/protocol/account.md §2). An
/// instance carries a valid signature of the account.
/// </summary>
public sealed class RecoverySet
{
    private const int MaxBytes = 16 << 10;
    private const int MaxGenerations = 128;
    private const uint FirstGeneration = 1;

    private readonly uint _generation;
    private readonly Bytes32 _recoveryKey;
    private readonly HpkeMessage _message;
    private readonly byte[] _signature;

    private RecoverySet(AccountId account, uint generation, Bytes32 recoveryKey, HpkeMessage message, byte[] signature)
    {
        Account = account;
        _generation = generation;
        _recoveryKey = recoveryKey;
        _message = message;
        _signature = signature;
    }

    /// <summary>The account.</summary>
    public AccountId Account { get; }

    /// <summary>Seals the account's secrets to the phrase.</summary>
    internal static RecoverySet Create(IEntropy entropy, RecoveryPhrase phrase, SigningKey authority, IReadOnlyList<(uint Generation, KemKey Key)> keys)
    {
        using var recovery = phrase.DeriveKemKey();
        var account = new AccountId(authority.Public.Value);
        var secrets = Canonical.Encode(writer =>
        {
            writer.BeginArray(2);
            writer.Bytes(authority.Seed);
            writer.Array(keys, key =>
            {
                writer.BeginArray(2);
                writer.UInt(key.Generation);
                writer.Bytes(key.Key.Secret);
                writer.EndArray();
            });
            writer.EndArray();
        });
        var message = Hpke.Seal(entropy, recovery.Public, Info(account, FirstGeneration), secrets);
        SecretKey.Zero(secrets);
        var unsigned = new RecoverySet(account, FirstGeneration, recovery.Public, message, []);
        return new(account, FirstGeneration, recovery.Public, message, authority.Sign(Label.RecoverySig, unsigned.Hash()));
    }

    /// <summary>Opens the set with a phrase: the account's authority key and its KEM secrets by generation. False for another phrase.</summary>
    public bool TryOpen(RecoveryPhrase phrase, [NotNullWhen(true)] out SigningKey? authority, out IReadOnlyDictionary<uint, KemKey> keys)
    {
        authority = null;
        keys = new Dictionary<uint, KemKey>();
        using var recovery = phrase.DeriveKemKey();
        if (recovery.Public != _recoveryKey || !Hpke.TryOpen(recovery, _message, Info(Account, _generation), out var secrets)) return false;
        using (secrets)
        {
            var copy = secrets.Bytes.ToArray();
            var found = Canonical.TryDecode(copy, MaxBytes, ReadSecrets, out var opened, out _);
            SecretKey.Zero(copy);
            if (!found) return false;
            authority = new(opened.Seed);
            keys = opened.Keys.ToDictionary(key => key.Generation, key => new KemKey(key.Secret));
            foreach (var secret in opened.Keys.Select(key => key.Secret).Append(opened.Seed)) SecretKey.Zero(secret);
            return true;
        }
    }

    /// <summary>The set as it is stored and sent.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(7);
        WriteSigned(writer);
        writer.Bytes(_signature);
        writer.EndArray();
    });

    /// <summary>Decodes a set and checks its signature.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out RecoverySet? set, out DecodeError error)
    {
        if (!Canonical.TryDecode(bytes, MaxBytes, Read, out set, out error)) return false;
        if (SigningKey.Verify(set!.Account.Document.Authority, Label.RecoverySig, set.Hash(), set._signature)) return true;
        set = null;
        error = new(Reason.BadSignature, "the account did not sign this recovery set");
        return false;
    }

    private void WriteSigned(CanonicalWriter writer)
    {
        writer.UInt(1);
        writer.Id(Account);
        writer.UInt(_generation);
        writer.Bytes32(_recoveryKey);
        writer.Bytes32(_message.Encapsulation);
        writer.Bytes(_message.Ciphertext);
    }

    private Bytes32 Hash() => Hashing.Hash(Label.Recovery, Canonical.Encode(writer =>
    {
        writer.BeginArray(6);
        WriteSigned(writer);
        writer.EndArray();
    }));

    private static RecoverySet Read(CanonicalReader reader)
    {
        reader.BeginArray(7);
        CanonicalReader.Require(reader.UInt() == 1, "unknown version of a recovery set", Reason.Unsupported);
        var set = new RecoverySet(
            reader.Id<AccountId>(), (uint)reader.UInt(uint.MaxValue), reader.Bytes32(), new(reader.Bytes32(), reader.Bytes(MaxBytes)), reader.FixedBytes(SigningKey.SignatureSize));
        reader.EndArray();
        return set;
    }

    private static (byte[] Seed, (uint Generation, byte[] Secret)[] Keys) ReadSecrets(CanonicalReader reader)
    {
        reader.BeginArray(2);
        var seed = reader.FixedBytes(SecretKey.Size);
        var keys = reader.Array(MaxGenerations, () =>
        {
            reader.BeginArray(2);
            var key = ((uint)reader.UInt(uint.MaxValue), reader.FixedBytes(SecretKey.Size));
            reader.EndArray();
            return key;
        });
        reader.EndArray();
        for (var i = 1; i < keys.Length; i++) CanonicalReader.Require(keys[i - 1].Item1 < keys[i].Item1, "generations must ascend");
        return (seed, keys);
    }

    private static byte[] Info(AccountId account, uint generation)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, generation);
        return Label.RecoveryInfo.Prefix(account.Value.ToArray(), number);
    }
}
