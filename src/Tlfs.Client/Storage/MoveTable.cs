using Microsoft.Data.Sqlite;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Storage;

/// <summary>A document that moves.</summary>
/// <param name="Document">The document.</param>
/// <param name="Told">True if its other members were told where it goes.</param>
/// <param name="Envelopes">How many envelopes were proven to have arrived.</param>
internal sealed record MovingDocument(DocId Document, bool Told, int Envelopes);

/// <summary>A move from one cloudpeer to another.</summary>
/// <param name="Source">The cloudpeer that is left.</param>
/// <param name="SourceUrl">Its address.</param>
/// <param name="TargetUrl">The address of the other.</param>
/// <param name="IsFinished">True once the first one is not used any more.</param>
internal sealed record StoredMove(PeerId Source, string SourceUrl, string TargetUrl, bool IsFinished);

/// <summary>Moves between cloudpeers, so that one that was cut off can go on, and one that is done can say so again.</summary>
internal sealed class MoveTable(ReplicaDatabase database)
{
    private const string Source = "(SELECT number FROM server WHERE id = $1)";

    /// <summary>The last move that left an address, or null.</summary>
    public StoredMove? Find(string sourceUrl) => database.Single(
        "SELECT s.id, m.source_url, m.target_url, m.finished FROM move m JOIN server s ON s.number = m.source WHERE m.source_url = $1 ORDER BY m.finished",
        Read, sourceUrl);

    /// <summary>Begins a move, or goes on with it, perhaps to somewhere else: the documents that were under way stay so. Begins anew what was finished.</summary>
    public void Begin(PeerId source, string sourceUrl, string targetUrl)
    {
        var number = CloudpeerTable.Number(database, source);
        database.Execute("DELETE FROM move WHERE source = $1 AND finished = 1", number);
        database.Execute(
            "INSERT INTO move(source, source_url, target_url, finished) VALUES($1, $2, $3, 0) ON CONFLICT(source) DO UPDATE SET source_url = excluded.source_url, target_url = excluded.target_url",
            number, sourceUrl, targetUrl);
    }

    /// <summary>Nobody was told yet where the documents go: it is somewhere else now.</summary>
    public void ForgetTold(PeerId source)
    {
        database.Execute($"UPDATE move_document SET told = 0 WHERE source = {Source}", source.Blob());
        database.Execute($"DELETE FROM move_untold WHERE source = {Source}", source.Blob());
    }

    /// <summary>The documents of a move.</summary>
    public IReadOnlyList<MovingDocument> Documents(PeerId source) => database.Query(
        $"SELECT document, told, envelopes FROM move_document WHERE source = {Source} ORDER BY document",
        reader => new MovingDocument(reader.Id<DocId>(0), reader.GetBoolean(1), reader.GetInt32(2)), source.Blob());

    /// <summary>Adds a document to a move, if it is not in it.</summary>
    public void Add(PeerId source, DocId document) => database.Execute(
        $"INSERT OR IGNORE INTO move_document(source, document, told, envelopes) VALUES({Source}, $2, 0, 0)", source.Blob(), document.Blob());

    public void MarkTold(PeerId source, DocId document) =>
        database.Execute($"UPDATE move_document SET told = 1 WHERE source = {Source} AND document = $2", source.Blob(), document.Blob());

    /// <summary>Notes a member that has no inbox where one was looked for.</summary>
    public void AddUntold(PeerId source, AccountId account) =>
        database.Execute($"INSERT OR IGNORE INTO move_untold(source, account) VALUES({Source}, $2)", source.Blob(), account.Blob());

    /// <summary>The members that were not told because they have no inbox where one was looked for, ascending.</summary>
    public IReadOnlyList<AccountId> Untold(PeerId source) => database.Query(
        $"SELECT account FROM move_untold WHERE source = {Source} ORDER BY account", reader => reader.Id<AccountId>(0), source.Blob());

    public void MarkProven(PeerId source, DocId document, int envelopes) =>
        database.Execute($"UPDATE move_document SET envelopes = $3 WHERE source = {Source} AND document = $2", source.Blob(), document.Blob(), envelopes);

    public void Finish(PeerId source) => database.Execute($"UPDATE move SET finished = 1 WHERE source = {Source}", source.Blob());

    private static StoredMove Read(SqliteDataReader reader) => new(reader.Id<PeerId>(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3));
}
