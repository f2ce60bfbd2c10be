using System.Buffers.Binary;
using System.Reflection;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Stands before a store and pretends that one document's log goes on with so many more ids, and counts how many ids are read of it.</summary>
public class LongLog : DispatchProxy
{
    private readonly List<EnvelopeId> _ids = [];
    private readonly List<Bytes32> _roots = [];
    private CompactRange _log = CompactRange.Empty;
    private IRelayStore _store = null!;
    private DocId _document;
    private long _read;
    private uint _generation;

    /// <summary>All ids of the log.</summary>
    public IReadOnlyList<EnvelopeId> Ids => _ids;

    /// <summary>How many ids were read.</summary>
    public long Read => Interlocked.Read(ref _read);

    /// <summary>Held up before ids are read, while it is not completed.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Called before ids are read.</summary>
    public Action BeforeRead { get; set; } = () => { };

    /// <summary>The log of a document that is in the store, as long as wanted.</summary>
    public static async Task<(IRelayStore Store, LongLog Log)> BeforeAsync(IRelayStore store, DocId document, int size, int salt = 0)
    {
        var before = Create<IRelayStore, LongLog>();
        var log = (LongLog)(object)before;
        (log._store, log._document) = (store, document);
        foreach (var place in await store.ReadIdsAsync(document, 0, int.MaxValue, CancellationToken.None)) log.Append(place.Id);
        log.Grow(size, salt);
        return (before, log);
    }

    /// <summary>Appends ids until the log has so many.</summary>
    public void Grow(int size, int salt = 0)
    {
        while (_ids.Count < size) Append(Numbered(salt, _ids.Count));
    }

    /// <summary>Replaces what follows the first entries, as when the document was deleted and came again.</summary>
    public void Replace(int from, int size, int salt)
    {
        EnvelopeId[] kept = [.. _ids.Take(from)];
        _ids.Clear();
        _roots.Clear();
        _log = CompactRange.Empty;
        foreach (var id in kept) Append(id);
        Grow(size, salt);
    }

    /// <summary>The same with a new generation, as the store says it after a deletion.</summary>
    public void BeginAnew(int from, int size, int salt)
    {
        Replace(from, size, salt);
        _generation++;
    }

    /// <summary>An id.</summary>
    public static EnvelopeId Numbered(int salt, int number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(bytes, salt);
        BinaryPrimitives.WriteInt32BigEndian(bytes[4..], number);
        return new(Hashing.Sha256(bytes));
    }

    /// <summary>The log's root at a size.</summary>
    public Bytes32 RootAt(int size) => size == 0 ? MerkleTree.EmptyRoot : _roots[size - 1];

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (args is not [DocId document, ..] || document != _document) return targetMethod!.Invoke(_store, args);
        return targetMethod!.Name switch
        {
            nameof(IRelayStore.FindAsync) => FindAsync(),
            nameof(IRelayStore.ReadStatementsAsync) => _store.ReadStatementsAsync(_document, 0, (ulong)args[2]!, (int)args[3]!, CancellationToken.None),
            nameof(IRelayStore.ReadIdsAsync) => ReadIdsAsync((ulong)args[1]!, (int)args[2]!),
            nameof(IRelayStore.FindReceiptAsync) => Task.FromResult(FindReceipt((ulong)args[1]!)),
            _ => targetMethod.Invoke(_store, args),
        };
    }

    private void Append(EnvelopeId id)
    {
        _ids.Add(id);
        _log = _log.Append(id);
        _roots.Add(_log.Root);
    }

    private async Task<DocumentState?> FindAsync() => await _store.FindAsync(_document, CancellationToken.None) is { } state ? state with { Log = _log, Generation = _generation } : null;

    private async Task<IReadOnlyList<LogPlace>> ReadIdsAsync(ulong from, int max)
    {
        if (Gate is { } gate) await gate.Task;
        BeforeRead();
        var places = _ids.Skip((int)from).Take(max).Select((id, i) => new LogPlace(from + (ulong)i, id)).ToArray();
        Interlocked.Add(ref _read, places.Length);
        return places;
    }

    private StoredReceipt? FindReceipt(ulong index) =>
        index < (ulong)_ids.Count ? new(new(index, _ids[(int)index]), _roots[(int)index], 0, 1, [], []) : null;
}
