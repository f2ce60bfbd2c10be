using Tlfs.Core;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Storage;

/// <summary>Who this replica is.</summary>
internal sealed class IdentityTable(ReplicaDatabase database)
{
    public bool Exists => database.Single("SELECT count(*) FROM identity", reader => reader.GetInt64(0)) > 0;

    /// <summary>The refusal of a second identity.</summary>
    public static TlfsException Taken() => new(Reason.AlreadyInitialised, "this folder holds a replica already; choose another with --home");

    /// <summary>Stores the keys and the name, once.</summary>
    public void Save(AccountKeys keys, string name)
    {
        if (Exists) throw Taken();
        database.Execute("INSERT INTO identity(id, keys, name) VALUES(1, $1, $2)", keys.Encode(), name);
    }

    /// <summary>The keys, which the caller disposes, and the name.</summary>
    public (AccountKeys Keys, string Name) Load()
    {
        var (bytes, name) = database.Single("SELECT keys, name FROM identity", reader => (reader.Blob(0), reader.GetString(1)));
        if (bytes is null) throw new TlfsException(Reason.NotInitialised, "no replica in this folder; make one with: init");
        return AccountKeys.TryDecode(bytes, out var keys) && keys is not null
            ? (keys, name)
            : throw new TlfsException(Reason.InputOutput, "the replica's keys are damaged; restore it from an export");
    }
}
