using Tlfs.Core;
using Tlfs.Core.Lenses;
using Tlfs.Core.Schema;

namespace Tlfs.Client.Storage;

/// <summary>The schemas added to this replica.</summary>
internal sealed class SchemaTable(ReplicaDatabase database)
{
    public IReadOnlyList<TlfsSchema> All() =>
    [
        .. database.Query("SELECT name, version, lenses FROM schema_version ORDER BY name, place", reader => (Name: reader.GetString(0), Version: Read(reader.GetString(1), reader.Blob(2))))
            .GroupBy(row => row.Name, StringComparer.Ordinal)
            .Select(rows => new TlfsSchema(rows.Key, [.. rows.Select(row => row.Version)])),
    ];

    /// <summary>Replaces the schema of that name.</summary>
    public void Save(TlfsSchema schema) => database.Write(() =>
    {
        database.Execute("DELETE FROM schema_version WHERE name = $1", schema.Name);
        for (var i = 0; i < schema.Versions.Count; i++)
        {
            var version = schema.Versions[i];
            database.Execute(
                "INSERT INTO schema_version(name, place, version, lenses) VALUES($1, $2, $3, $4)",
                schema.Name, i, version.Version.ToString(), version.List.Bytes.ToArray());
        }

        return true;
    });

    private static TlfsVersion Read(string version, byte[] lenses) =>
        SchemaVersion.TryParse(version, out var label) && LensList.TryDecode(lenses, out var list, out _)
            ? new(label, list)
            : throw new TlfsException(Reason.InputOutput, "a stored schema is damaged; add it again");
}
