using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// A document that a replica has open: what its last checkpoint says, brought up to date with the envelopes stored after it.
/// </summary>
internal sealed class LoadedDocument : IEnvelopeSource, IRadixPages, IDisposable
{
    /// <summary>Increased when checkpoints of older software do not mean the same any more.</summary>
    private const int Format = 2;

    /// <summary>Bytes of envelopes that are replayed in a moment.</summary>
    private const long FewBytes = 256 << 10;

    /// <summary>A checkpoint is due when this part of all bytes came after the last one, so that making them costs a constant factor.</summary>
    private const long DueShare = 4;

    private const int EnvelopesAtOnce = 256;

    private readonly IReplicaStore _store;
    private StoredCheckpoint? _checkpoint;

    private LoadedDocument(IReplicaStore store, DocId id, AccountKeys own, StoredCheckpoint? checkpoint)
    {
        _store = store;
        Id = id;
        Checkpoint = checkpoint;
        _checkpoint = checkpoint?.Format == Format ? checkpoint : null;
        Row = _checkpoint?.Row ?? 0;
        Bytes = _checkpoint?.Bytes ?? 0;
        Document = new(id, own, _checkpoint is null ? RadixTree.Empty : RadixTree.Open(this, _checkpoint.Root), this);
    }

    public DocId Id { get; }

    public Document Document { get; }

    /// <summary>The last row of the store that the document includes.</summary>
    public long Row { get; private set; }

    /// <summary>Bytes of all envelopes.</summary>
    public long Bytes { get; private set; }

    /// <summary>What the store said the checkpoint was; another one means that another process made it.</summary>
    public StoredCheckpoint? Checkpoint { get; private set; }

    private long BytesSince => Bytes - (_checkpoint?.Bytes ?? 0);

    public static LoadedDocument Open(IReplicaStore store, DocId id, AccountKeys own) => new(store, id, own, store.Checkpoint(id));

    /// <summary>Brings the document up to date with the store; true if there was something.</summary>
    public bool Refresh()
    {
        var before = Row;
        foreach (var stored in _store.Envelopes(Id, Row).Chunk(EnvelopesAtOnce))
        {
            Envelope[] news = [.. stored.Select(Decode)];

            // What was held once is held again; if not, this device would sign a number of its chain twice.
            if (!Document.Receive(news, verified: true).All(outcome => outcome.IsHeld)) throw Damaged("an envelope is missing");
            Stored(news, [.. stored.Select(each => each.Row)]);
        }

        return Row > before;
    }

    /// <summary>Stores envelopes that the document has taken already, as one bundle.</summary>
    public void Append(IReplicaWriter writer, IReadOnlyList<Envelope> bundle)
    {
        var last = writer.Append(Id, bundle);
        Stored(bundle, [.. Enumerable.Range(0, bundle.Count).Select(i => last - bundle.Count + 1 + i)]);
    }

    /// <summary>Stores parts that were withheld before. Other processes notice by the checkpoint.</summary>
    public void Fill(IReplicaWriter writer)
    {
        var filled = Document.TakeFilled();
        foreach (var held in filled)
        {
            writer.Fill(Id, held.Row, held.Envelope);
            Document.Stored(held.Envelope.Id, held.Row);
        }

        if (filled.Count > 0) SaveCheckpoint(writer, []);
    }

    /// <summary>Makes a checkpoint if much has happened since the last one.</summary>
    /// <param name="writer">Where to.</param>
    public void SaveCheckpointIfDue(IReplicaWriter writer)
    {
        if (IsWorthSaving && BytesSince >= Bytes / DueShare) SaveCheckpoint(writer, []);
    }

    /// <summary>Makes a checkpoint: whoever has the document open opens it anew.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="freed">Pages that are not needed any more beside those of the last checkpoint.</param>
    public void SaveCheckpoint(IReplicaWriter writer, IReadOnlyList<long> freed)
    {
        var root = new RadixPageWriter(page => writer.AppendPage(Id, page)).Write(Document.Version, out var replaced);
        _checkpoint = Checkpoint = new(Format, Row, Bytes, root);
        writer.SaveCheckpoint(Id, Checkpoint, [.. replaced, .. freed]);
    }

    /// <summary>True if a checkpoint is worth its while before the document is closed.</summary>
    public bool IsWorthSaving => BytesSince >= FewBytes;

    Envelope IEnvelopeSource.Read(long row) => Decode(_store.Envelope(Id, row) ?? throw Damaged("an envelope is missing"));

    ReadOnlyMemory<byte> IRadixPages.Read(long page) =>
        _store.Page(Id, page) ?? throw new TlfsException(Reason.Busy, "another program changed the document while it was read; try again");

    public void Dispose() => Document.Dispose();

    public static TlfsException Damaged(string detail) =>
        new(Reason.InputOutput, $"the stored copy of a document is damaged ({detail}); restore it or sync it anew");

    private void Stored(IReadOnlyList<Envelope> envelopes, long[] rows)
    {
        for (var i = 0; i < rows.Length; i++) Document.Stored(envelopes[i].Id, rows[i]);
        Row = rows[^1];
        Bytes += envelopes.Sum(envelope => (long)envelope.Bytes.Length);
    }

    private static Envelope Decode(StoredEnvelope stored)
    {
        DecodeError error;
        var decoded = stored.Present is { } present
            ? Envelope.TryDecode(stored.Bytes, present, out var envelope, out error)
            : Envelope.TryDecode(stored.Bytes, out envelope, out error);
        return decoded ? envelope! : throw Damaged(error.Detail);
    }
}
