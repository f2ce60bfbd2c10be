using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.TestKit;

/// <summary>A replica's store in memory: all of a write or nothing, rows never reused. It lasts as long as the object.</summary>
public sealed class MemoryReplicaStore : IReplicaStore
{
    private List<(DocId Id, List<StoredEnvelope> Rows)> _documents = [];
    private long _row;

    /// <inheritdoc />
    public IReadOnlyList<DocId> Documents() => [.. _documents.Select(document => document.Id)];

    /// <inheritdoc />
    public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after) =>
        [.. _documents.Where(each => each.Id == document).SelectMany(each => each.Rows).Where(row => row.Row > after)];

    /// <inheritdoc />
    public T Write<T>(Func<IReplicaWriter, T> work)
    {
        var before = _documents.Select(document => (document.Id, document.Rows.ToList())).ToList();
        try
        {
            return work(new Writer(this));
        }
        catch
        {
            _documents = before;
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _documents = [];

    private sealed class Writer(MemoryReplicaStore store) : IReplicaWriter
    {
        public void AddDocument(DocId document)
        {
            if (!store._documents.Exists(each => each.Id == document)) store._documents.Add((document, []));
        }

        public void RemoveDocument(DocId document) => store._documents.RemoveAll(each => each.Id == document);

        public long Append(DocId document, IReadOnlyList<Envelope> bundle)
        {
            var rows = store._documents.Find(each => each.Id == document).Rows
                ?? throw new InvalidOperationException("envelopes of a document that was not added");
            var first = store._row + 1;
            foreach (var envelope in bundle) rows.Add(new(++store._row, first, envelope.Bytes));
            return store._row;
        }
    }
}
