using CloudPeer.Sync.Client;
using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Storage;

/// <summary>The cloudpeers that this account uses, and the numbers that stand for servers in other tables.</summary>
internal sealed class CloudpeerTable(ReplicaDatabase database, AccountId account)
{
    private const string Columns = "SELECT url, s.id, every, app, plan, quota, used, sign_up, state FROM cloudpeer JOIN server s ON s.number = cloudpeer.server";

    public IReadOnlyList<CloudpeerState> All() => database.Query(Columns + " ORDER BY cloudpeer.rowid", Read);

    public CloudpeerState? Find(string url) => database.Single(Columns + " WHERE url = $1", Read, url);

    public CloudpeerState? Find(PeerId server) => database.Single(Columns + " WHERE s.id = $1", Read, server.Blob());

    /// <summary>Keeps a cloudpeer. There is one for a server: another address replaces the one before.</summary>
    public void Save(CloudpeerState state) => database.Write(() =>
    {
        var server = Number(database, state.Server);
        database.Execute("DELETE FROM cloudpeer WHERE url = $1 OR server = $2", state.Url, server);
        database.Execute(
            "INSERT INTO cloudpeer(url, server, every, app) VALUES($1, $2, $3, $4)",
            state.Url, server, state.EveryDocument, state.App);
        if (state.Entitlement is { } entitlement) SaveEntitlement(state.Url, entitlement);
        return true;
    });

    public void SaveEntitlement(string url, Entitlement entitlement) => database.Execute(
        "UPDATE cloudpeer SET plan = $2, quota = $3, used = $4, sign_up = $5, state = $6 WHERE url = $1",
        url, entitlement.Plan, entitlement.QuotaBytes.Signed(), entitlement.UsedBytes.Signed(), entitlement.SignUpUrl, entitlement.State);

    /// <summary>Keeps what fills the account's storage at a server.</summary>
    public void SaveStored(string url, IReadOnlyList<StoredDocument> documents) => database.Write(() =>
    {
        database.Execute("DELETE FROM hosted WHERE url = $1", url);
        foreach (var each in documents)
        {
            database.Execute(
                "INSERT INTO hosted(url, id, bytes, envelopes, app) SELECT url, $2, $3, $4, $5 FROM cloudpeer WHERE url = $1",
                url, each.Document.Blob(), each.StoredBytes.Signed(), each.Envelopes.Signed(), each.App);
        }

        return true;
    });

    /// <summary>What fills the account's storage at a server as of the last contact, the largest first.</summary>
    public IReadOnlyList<StoredDocument> Stored(string url) => database.Query(
        "SELECT id, bytes, envelopes, app FROM hosted WHERE url = $1 ORDER BY bytes DESC, id",
        reader => new StoredDocument(reader.Id<DocId>(0), (ulong)reader.GetInt64(1), (ulong)reader.GetInt64(2), reader.GetString(3)), url);

    public void Remove(string url) => database.Execute("DELETE FROM cloudpeer WHERE url = $1", url);

    /// <summary>The number of a server, new if it has none.</summary>
    public static long Number(ReplicaDatabase database, PeerId server)
    {
        database.Execute("INSERT OR IGNORE INTO server(id) VALUES($1)", server.Blob());
        return database.Single("SELECT number FROM server WHERE id = $1", reader => reader.GetInt64(0), server.Blob());
    }

    private CloudpeerState Read(SqliteDataReader reader)
    {
        Entitlement? entitlement = reader.TextOrNull(4) is { } plan
            ? new(account, plan, reader.NumberOrNull(5) ?? 0, reader.NumberOrNull(6) ?? 0, reader.TextOrNull(7)) { State = reader.TextOrNull(8) ?? string.Empty }
            : null;
        return new(reader.GetString(0), reader.Id<PeerId>(1), reader.GetBoolean(2), reader.TextOrNull(3), entitlement);
    }
}
