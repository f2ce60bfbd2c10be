using Microsoft.Data.Sqlite;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>Delivery tokens (docs/protocol/sync.md §4): this account's own, where it is set, and those that contacts gave; and who is shut out.</summary>
internal sealed class ContactTable(ReplicaDatabase database, IEntropy entropy)
{
    /// <summary>This account's token; made when it is first asked for.</summary>
    public DeliveryToken Own() => database.Write(() => Stored() ?? Renew());

    /// <summary>Makes another token in place of this account's.</summary>
    public DeliveryToken Renew()
    {
        var token = DeliveryToken.Generate(entropy);
        database.Execute("UPDATE identity SET delivery_token = $1", token.Bytes.ToArray());
        return token;
    }

    /// <summary>True if a cloudpeer was told the token.</summary>
    public bool IsSet(string url, DeliveryToken token) =>
        database.Single("SELECT token_hash FROM cloudpeer WHERE url = $1", reader => reader.BlobOrNull(0), url) is { } hash && new Bytes32(hash) == token.Hash;

    /// <summary>Notes that a cloudpeer was told the token.</summary>
    public void SaveSet(string url, DeliveryToken token) => database.Execute("UPDATE cloudpeer SET token_hash = $2 WHERE url = $1", url, token.Hash.ToArray());

    /// <summary>The token that somebody gave, or null.</summary>
    public DeliveryToken? Find(AccountId account) =>
        database.Single("SELECT token FROM card WHERE account = $1", reader => reader.BlobOrNull(0), account.Blob()) is { } bytes && DeliveryToken.TryRead(bytes, out var token) ? token : null;

    /// <summary>Keeps the token that somebody known gave, unless one was given later, by the giver's clock. From a stranger it is of no use.</summary>
    public void Save(AccountId from, DeliveryToken token, ulong micros) => database.Execute(
        "UPDATE card SET token = $2, token_micros = $3 WHERE account = $1 AND coalesce(token_micros, 0) <= $3", from.Blob(), token.Bytes.ToArray(), micros.Signed());

    /// <summary>Those who gave a token and are not shut out.</summary>
    public IReadOnlyList<AccountCard> All() => database.Query("SELECT bytes FROM card WHERE token IS NOT NULL AND blocked IS NULL ORDER BY account", ReadCard);

    /// <summary>Shuts somebody out, or lets them in again.</summary>
    /// <returns>False if nobody of that id is known here.</returns>
    public bool Block(AccountId account, bool block) =>
        database.Execute("UPDATE card SET blocked = $2 WHERE account = $1", account.Blob(), block ? 1 : null) > 0;

    /// <summary>True for somebody who is shut out.</summary>
    public bool IsBlocked(AccountId account) =>
        database.Single("SELECT count(*) FROM card WHERE account = $1 AND blocked IS NOT NULL", reader => reader.GetInt64(0), account.Blob()) > 0;

    private DeliveryToken? Stored() =>
        database.Single("SELECT delivery_token FROM identity", reader => reader.BlobOrNull(0)) is { } bytes && DeliveryToken.TryRead(bytes, out var token) ? token : null;

    private static AccountCard ReadCard(SqliteDataReader reader) => AccountCard.TryDecode(reader.Blob(0), out var card, out _)
        ? card
        : throw new TlfsException(Reason.InputOutput, "the replica's file is damaged; restore it from an export");
}
