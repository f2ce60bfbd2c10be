using Tlfs.Core.Ids;

namespace Tlfs.Client.Storage;

/// <summary>
/// How far parts that were withheld were fetched again, for each document and server, and since when each epoch of a document has been known here.
/// </summary>
internal sealed class FillTable(ReplicaDatabase database)
{
    private const string Document = "(SELECT number FROM document WHERE id = $1)";
    private const string Server = "(SELECT number FROM server WHERE id = $2)";

    // docs/protocol/statements.md §5.10.
    private static readonly ulong EpochMicros = (ulong)TimeSpan.FromDays(30).TotalMicroseconds;

    /// <summary>True if some envelope of the document is here without all of its parts.</summary>
    public bool HasPartial(DocId document) => database.Single(
        $"SELECT EXISTS(SELECT 1 FROM envelope WHERE document = {Document} AND present IS NOT NULL)", reader => reader.GetBoolean(0), document.Blob());

    /// <summary>The rights for which parts are being fetched, and the next index of the server's log to fetch; null when nothing was begun.</summary>
    public (Bytes32 Rights, ulong Next)? Progress(Place at)
    {
        var (rights, next) = database.Single(
            $"SELECT rights, next FROM filling WHERE document = {Document} AND server = {Server}",
            reader => (reader.Blob(0), (ulong)reader.GetInt64(1)), at.Document.Blob(), at.Server.Blob());
        return rights is null ? null : (new Bytes32(rights), next);
    }

    /// <summary>Keeps how far it went.</summary>
    public void Save(Place at, Bytes32 rights, ulong next) => database.Execute(
        $"INSERT OR REPLACE INTO filling(document, server, rights, next) VALUES({Document}, $2, $3, $4)",
        at.Document.Blob(), CloudpeerTable.Number(database, at.Server), rights.ToArray(), next.Signed());

    /// <summary>True if the epoch has been known here for so long that its keys are to be changed; it becomes known by the first question.</summary>
    public bool IsOld(DocId document, EnvelopeId epoch, ulong nowMicros) => database.Write(() =>
    {
        database.Execute($"INSERT OR IGNORE INTO epoch(document, id, micros) VALUES({Document}, $2, $3)", document.Blob(), epoch.Blob(), nowMicros.Signed());
        var since = database.Single($"SELECT micros FROM epoch WHERE document = {Document} AND id = $2", reader => (ulong)reader.GetInt64(0), document.Blob(), epoch.Blob());
        return nowMicros > since && nowMicros - since > EpochMicros;
    });
}
