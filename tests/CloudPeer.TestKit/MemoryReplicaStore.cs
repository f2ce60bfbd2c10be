using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.TestKit;

/// <summary>A replica's store in memory: all of a write or nothing, rows never reused. It lasts as long as the object.</summary>
public sealed class MemoryReplicaStore : IReplicaStore
{
    private List<(DocId Id, List<StoredEnvelope> Rows)> _documents = [];
    private Dictionary<DocId, StoredCheckpoint> _checkpoints = [];
    private Dictionary<long, byte[]> _pages = [];
    private List<(DocId Document, WithdrawnEdit Edit)> _withdrawn = [];
    private long _row;
    private long _page;

    /// <summary>Pages stored now.</summary>
    public IReadOnlyDictionary<long, byte[]> Pages => _pages;

    /// <inheritdoc />
    public IReadOnlyList<DocId> Documents() => [.. _documents.Select(document => document.Id)];

    /// <inheritdoc />
    public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after) =>
        [.. _documents.Where(each => each.Id == document).SelectMany(each => each.Rows).Where(row => row.Row > after)];

    /// <inheritdoc />
    public StoredEnvelope? Envelope(DocId document, long row) => Envelopes(document, row - 1).FirstOrDefault(stored => stored.Row == row);

    /// <inheritdoc />
    public StoredCheckpoint? Checkpoint(DocId document) => _checkpoints.GetValueOrDefault(document);

    /// <inheritdoc />
    public ReadOnlyMemory<byte>? Page(DocId document, long page) => _pages.TryGetValue(page, out var bytes) ? bytes : null;

    /// <inheritdoc />
    public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => [.. _withdrawn.Where(each => each.Document == document).Select(each => each.Edit)];

    /// <inheritdoc />
    public T Write<T>(Func<IReplicaWriter, T> work)
    {
        var before = _documents.Select(document => (document.Id, document.Rows.ToList())).ToList();
        var (checkpoints, pages) = (new Dictionary<DocId, StoredCheckpoint>(_checkpoints), new Dictionary<long, byte[]>(_pages));
        var withdrawn = _withdrawn.ToList();
        try
        {
            return work(new Writer(this));
        }
        catch
        {
            _documents = before;
            _checkpoints = checkpoints;
            _pages = pages;
            _withdrawn = withdrawn;
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
            foreach (var envelope in bundle) rows.Add(new(++store._row, first, envelope.Bytes, Present(envelope)));
            return store._row;
        }

        public void Fill(DocId document, long row, Envelope envelope)
        {
            var rows = store._documents.Find(each => each.Id == document).Rows;
            var at = rows.FindIndex(stored => stored.Row == row);
            rows[at] = rows[at] with { Bytes = envelope.Bytes, Present = Present(envelope) };
        }

        public long AppendPage(DocId document, ReadOnlyMemory<byte> page)
        {
            store._pages.Add(++store._page, page.ToArray());
            return store._page;
        }

        public void SaveCheckpoint(DocId document, StoredCheckpoint checkpoint, IReadOnlyList<long> freed)
        {
            store._checkpoints[document] = checkpoint;
            foreach (var page in freed) store._pages.Remove(page);
        }

        public void DropCheckpoint(DocId document) => store._checkpoints.Remove(document);

        public IReadOnlyList<long> Withdraw(DocId document, IReadOnlyList<long> rows, IReadOnlyList<WithdrawnEdit> edits)
        {
            store._documents.Find(each => each.Id == document).Rows.RemoveAll(stored => rows.Contains(stored.Row));
            store._withdrawn.RemoveAll(each => each.Document == document && edits.Any(edit => edit.Envelope == each.Edit.Envelope));
            store._withdrawn.AddRange(edits.Select(edit => (document, edit)));
            store._checkpoints.Remove(document);

            // The old pages stay; here they take nothing that matters.
            return [];
        }

        public void ForgetWithdrawn(DocId document) => store._withdrawn.RemoveAll(each => each.Document == document);

        private static ulong? Present(Envelope envelope) => envelope.IsWhole ? null : envelope.Present;
    }
}
