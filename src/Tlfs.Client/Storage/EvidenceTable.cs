using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Storage;

/// <summary>A row of evidence.</summary>
/// <param name="Server">The server.</param>
/// <param name="Kind">What it did.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Micros">When it was noticed here.</param>
/// <param name="Record">What the server signed about it; null if nothing.</param>
internal sealed record HeldEvidence(PeerId Server, string Kind, string Message, ulong Micros, Evidence? Record);

/// <summary>What servers signed and did not keep to (docs/protocol/log.md §5). Nothing is deleted but with its document.</summary>
internal sealed class EvidenceTable(ReplicaDatabase database)
{
    private const string Document = "(SELECT number FROM document WHERE id = $1)";
    private const string Server = "(SELECT number FROM server WHERE id = $2)";

    /// <summary>Keeps evidence.</summary>
    public void Save(Place at, LogFault fault, ulong micros) =>
        Save(at, fault.Evidence is { } evidence ? Name(evidence.Kind) : fault.Reason.ToKebab(), fault.Message, fault.Evidence, micros);

    /// <summary>Keeps what a server lost and said that it lost.</summary>
    public void Save(Place at, Evidence restored, string message, ulong micros) => Save(at, Name(restored.Kind), message, restored, micros);

    /// <summary>Puts a stronger record in the place of the newest one.</summary>
    public void Improve(Place at, Evidence evidence) => database.Execute(
        $"UPDATE evidence SET bytes = $3 WHERE number = (SELECT max(number) FROM evidence WHERE document = {Document} AND server = {Server} AND kind = $4)",
        at.Document.Blob(), at.Server.Blob(), evidence.Encode(), Name(evidence.Kind));

    /// <summary>All there is about a document's servers, oldest first.</summary>
    public IReadOnlyList<HeldEvidence> All(DocId document) => database.Query(
        $"""
        SELECT s.id, e.kind, e.message, e.micros, e.bytes FROM evidence e JOIN server s ON s.number = e.server WHERE e.document = {Document} ORDER BY e.number
        """,
        reader => new HeldEvidence(
            reader.Id<PeerId>(0), reader.GetString(1), reader.GetString(2), unchecked((ulong)reader.GetInt64(3)),
            reader.BlobOrNull(4) is { } bytes && Evidence.TryDecode(bytes, out var evidence, out _) ? evidence : null),
        document.Blob());

    private void Save(Place at, string kind, string message, Evidence? evidence, ulong micros) => database.Execute(
        $"INSERT INTO evidence(document, server, kind, message, micros, bytes) VALUES({Document}, $2, $3, $4, $5, $6)",
        at.Document.Blob(), CloudpeerTable.Number(database, at.Server), kind, message, micros.Signed(), evidence?.Encode());

    private static string Name(EvidenceKind kind) => kind switch
    {
        EvidenceKind.Fork => "fork",
        EvidenceKind.Rollback => "rollback",
        _ => "restored",
    };
}
