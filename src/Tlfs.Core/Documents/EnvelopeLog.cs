using System.Buffers.Binary;
using System.Collections;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Radix;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// The envelopes of a document in the order in which they were received. What the store has is read from there again when it is needed; only some of
/// it stays in memory.
/// </summary>
internal sealed class EnvelopeLog(RadixEditor tree, IEnvelopeSource? source) : IReadOnlyList<HeldEnvelope>
{
    private const int MaxCached = 64;

    private readonly Dictionary<int, HeldEnvelope> _inMemory = [];
    private readonly Queue<int> _evictable = [];

    /// <inheritdoc />
    public int Count => tree.CountUnder(DocumentKey.Of(DocumentTag.Envelope));

    /// <summary>The epochs for whose keys envelopes wait; zero stands for a schema.</summary>
    public IReadOnlyList<EnvelopeId> Awaited
    {
        get
        {
            var prefix = DocumentKey.Of(DocumentTag.Waiting);
            var awaited = new List<EnvelopeId>();
            for (var from = prefix; tree.TryFirst(prefix, from, out var entry); from = [.. DocumentKey.Of(DocumentTag.Waiting, awaited[^1].Value, -1), 0])
                awaited.Add(new(DocumentKey.Id(entry.Key.Span)));
            return awaited;
        }
    }

    /// <summary>The envelopes that wait for the key of an epoch; for a schema, if it is zero.</summary>
    public IReadOnlyList<int> Waiting(EnvelopeId epoch) =>
        [.. tree.Scan(DocumentKey.Of(DocumentTag.Waiting, epoch.Value)).Select(entry => DocumentKey.Number(entry.Key.Span))];

    /// <summary>The policy envelopes.</summary>
    public IReadOnlyList<int> Statements => Numbers(DocumentTag.Statement);

    /// <inheritdoc />
    public HeldEnvelope this[int number]
    {
        get
        {
            if (_inMemory.TryGetValue(number, out var held)) return held;
            if (!tree.TryGet(DocumentKey.Of(DocumentTag.Envelope, number), out var bytes)) throw new ArgumentOutOfRangeException(nameof(number));
            held = Load(EnvelopeRecord.Decode(bytes), number);
            Cache(held);
            return held;
        }
    }

    public bool Contains(EnvelopeId id) => tree.Contains(DocumentKey.Of(DocumentTag.Id, id.Value));

    public HeldEnvelope? Find(EnvelopeId id) =>
        tree.TryGet(DocumentKey.Of(DocumentTag.Id, id.Value), out var number) ? this[BinaryPrimitives.ReadInt32BigEndian(number.Span)] : null;

    /// <summary>Appends an envelope that the store does not have yet.</summary>
    public void Add(HeldEnvelope held)
    {
        held.Number = Count;
        Span<byte> number = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(number, held.Number);
        tree.Set(DocumentKey.Of(DocumentTag.Id, held.Id.Value), number);
        if (held.Statement is not null) tree.Set(DocumentKey.Of(DocumentTag.Statement, held.Number), []);
        _inMemory.Add(held.Number, held);
        Write(held);
    }

    /// <summary>Keeps what has become known about an envelope.</summary>
    public void Save(HeldEnvelope held)
    {
        if (held.Parts.Any(part => part.NotedWait != part.WaitsFor))
        {
            foreach (var part in held.Parts)
                if (part.NotedWait is { } noted) tree.Remove(DocumentKey.Of(DocumentTag.Waiting, noted.Value, held.Number));
            foreach (var part in held.Parts)
            {
                part.NotedWait = part.WaitsFor;
                if (part.NotedWait is { } awaited) tree.Set(DocumentKey.Of(DocumentTag.Waiting, awaited.Value, held.Number), []);
            }
        }

        Write(held);
    }

    /// <summary>Takes note that an envelope lies in this row of the store now, so that it need not stay in memory.</summary>
    public void Stored(EnvelopeId id, long row)
    {
        var held = Find(id)!;
        held.Row = row;
        held.IsStored = true;
        Write(held);
        Evictable(held.Number);
    }

    /// <inheritdoc />
    public IEnumerator<HeldEnvelope> GetEnumerator()
    {
        for (var number = 0; number < Count; number++) yield return this[number];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private HeldEnvelope Load(EnvelopeRecord record, int number)
    {
        var envelope = (source ?? throw new InvalidOperationException("an envelope that is in no store")).Read(record.Row);
        if (envelope.Id != record.Id) throw new TlfsException(Reason.InputOutput, "the stored copy of a document is damaged (an envelope is in the wrong place); restore it or sync it anew");
        Statement? statement = null;
        if (envelope.Header.Type == EnvelopeType.Policy && !Statement.TryDecode(envelope.Body, AccountCard.Verify, ForkProof.Verify, out statement, out var error))
            throw new TlfsException(Reason.InputOutput, $"the stored copy of a document is damaged ({error.Detail}); restore it or sync it anew");
        return HeldEnvelope.From(record, envelope, statement, number);
    }

    private void Write(HeldEnvelope held)
    {
        var record = held.Record;
        if (record == held.Saved) return;
        tree.Set(DocumentKey.Of(DocumentTag.Envelope, held.Number), record.Encode());
        held.Saved = record;
    }

    private void Cache(HeldEnvelope held)
    {
        _inMemory.Add(held.Number, held);
        Evictable(held.Number);
    }

    private void Evictable(int number)
    {
        if (source is null) return;
        _evictable.Enqueue(number);
        if (_evictable.Count > MaxCached && _evictable.Dequeue() is var oldest && _inMemory.GetValueOrDefault(oldest)?.IsStored == true) _inMemory.Remove(oldest);
    }

    private int[] Numbers(DocumentTag tag) => [.. tree.Scan(DocumentKey.Of(tag)).Select(entry => DocumentKey.Number(entry.Key.Span))];
}
