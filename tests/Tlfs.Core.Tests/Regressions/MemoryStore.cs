using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Tests.Regressions;

/// <summary>A store that several replicas, standing for processes, share; it can fail once in the middle of reading.</summary>
internal sealed class MemoryStore : IReplicaStore, IReplicaWriter
{
    private readonly List<DocId> _documents = [];
    private readonly List<(DocId Document, StoredEnvelope Stored)> _rows = [];
    private long _lastRow;

    /// <summary>Set to a number of envelopes after which the next reading fails.</summary>
    public int? FailAfter { get; set; }

    public IReadOnlyList<DocId> Documents() => [.. _documents];

    public int Count => _rows.Count;

    public void Lose(int index) => _rows.RemoveAt(index);

    public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after)
    {
        var count = 0;
        foreach (var (_, stored) in _rows.Where(row => row.Document == document && row.Stored.Row > after).ToArray())
        {
            if (FailAfter == count++)
            {
                FailAfter = null;
                throw new IOException("the disk did not answer");
            }

            yield return stored;
        }
    }

    public StoredEnvelope? Envelope(DocId document, long row) => _rows.Find(each => each.Stored.Row == row).Stored;

    // What is written here is too little for a checkpoint.
    public StoredCheckpoint? Checkpoint(DocId document) => null;

    public ReadOnlyMemory<byte>? Page(DocId document, long page) => null;

    public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => [];

    public IReadOnlyList<long> Withdraw(DocId document, IReadOnlyList<long> rows, IReadOnlyList<WithdrawnEdit> edits) => throw new NotSupportedException();

    public void ForgetWithdrawn(DocId document) => throw new NotSupportedException();

    public long AppendPage(DocId document, ReadOnlyMemory<byte> page) => throw new NotSupportedException();

    public void SaveCheckpoint(DocId document, StoredCheckpoint checkpoint, IReadOnlyList<long> freed) => throw new NotSupportedException();

    public void DropCheckpoint(DocId document) => throw new NotSupportedException();

    public T Write<T>(Func<IReplicaWriter, T> work) => work(this);

    public void AddDocument(DocId document)
    {
        if (!_documents.Contains(document)) _documents.Add(document);
    }

    public void RemoveDocument(DocId document)
    {
        _documents.Remove(document);
        _rows.RemoveAll(row => row.Document == document);
    }

    public long Append(DocId document, IReadOnlyList<Envelope> bundle)
    {
        foreach (var envelope in bundle) _rows.Add((document, new(++_lastRow, _lastRow, envelope.Bytes.ToArray())));
        return _lastRow;
    }

    public void Fill(DocId document, long row, Envelope envelope) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
