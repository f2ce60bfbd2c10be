using CloudPeer.Sync.Log;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>A store that forgets everything when the process ends: for tests, and for trying things out.</summary>
public sealed class MemoryRelayStore : IRelayStore
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly Dictionary<DocId, DocumentState> _documents = [];
    private readonly Dictionary<DocId, List<Row>> _logs = [];
    private readonly Dictionary<AccountId, ulong> _usedBytes = [];
    private readonly List<(uint Number, ulong Micros, Dictionary<DocId, CompactRange> Logs)> _generations = [];
    private readonly Dictionary<DocId, IReadOnlyList<Delivered>> _delivered = [];

    /// <inheritdoc />
    public async Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            var found = documents.Where(_documents.ContainsKey).ToDictionary(id => id, id => _documents[id]);
            var used = tenants.Concat(found.Values.Select(state => state.Host)).Distinct().ToDictionary(id => id, _usedBytes.GetValueOrDefault);
            return new Transaction(this, found, used);
        }
    }

    /// <inheritdoc />
    public Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_documents.GetValueOrDefault(document));
    }

    /// <inheritdoc />
    public Task<ulong> FindUsedBytesAsync(AccountId tenant, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_usedBytes.GetValueOrDefault(tenant));
    }

    /// <inheritdoc />
    public Task<LogSlice?> ReadAsync(DocId document, ulong from, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_documents.TryGetValue(document, out var state)) return Task.FromResult<LogSlice?>(null);
            var entries = new List<LogEntry>();
            long bytes = 0;
            foreach (var row in From(document, from).Take(maxEntries))
            {
                bytes += row.Entry.Envelope.Bytes.Length;
                if (entries.Count > 0 && bytes > maxBytes) break;
                entries.Add(ToLogEntry(row));
            }

            return Task.FromResult<LogSlice?>(new(state, entries));
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEntry>> ReadStatementsAsync(DocId document, ulong from, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<LogEntry>>(
                [.. From(document, from).Where(row => row.Entry.Envelope.Header.Type == EnvelopeType.Policy).Select(ToLogEntry)]);
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> ReadIdsAsync(DocId document, ulong from, int max, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult<IReadOnlyList<LogPlace>>([.. From(document, from).Take(max).Select(ToPlace)]);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocId document, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult<IReadOnlyList<LogPlace>>([.. From(document, 0).Where(row => ids.Contains(row.Entry.Envelope.Id)).Select(ToPlace)]);
    }

    /// <inheritdoc />
    public Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var row = From(document, index).FirstOrDefault();
            for (; steps > 0 && row is not null; steps--)
                row = row.Entry.AuthorPreviousIndex is { } previous ? From(document, previous).First() : null;
            return Task.FromResult(row is null ? null : ToPlace(row));
        }
    }

    /// <inheritdoc />
    public Task<StoredReceipt?> FindReceiptAsync(DocId document, ulong index, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(From(document, index).FirstOrDefault() is not { } row
                ? null
                : new StoredReceipt(ToPlace(row), row.Entry.Root, row.Entry.Position, row.Commit.Micros, row.Commit.ReceiptHashes, row.Commit.Signature));
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<StoredGeneration>> ReadGenerationsAsync(DocId document, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<StoredGeneration>>(
                [.. _generations.Select(each => new StoredGeneration(each.Number, each.Micros, each.Logs.GetValueOrDefault(document, CompactRange.Empty)))]);
        }
    }

    /// <inheritdoc />
    public Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var next = StoredGeneration.Next(
                _generations.Count == 0 ? null : (_generations[^1].Number, _generations[^1].Micros),
                _logs.Values.SelectMany(log => log).Select(row => row.Commit.Micros).DefaultIfEmpty().Max(),
                micros);
            _generations.Add((next.Number, next.Micros, _documents.ToDictionary(pair => pair.Key, pair => pair.Value.Log)));
            return Task.FromResult((next.Number, _documents.Count));
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<Delivered>> ReadDeliveredAsync(DocId document, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_delivered.GetValueOrDefault(document, []));
    }

    /// <inheritdoc />
    public Task UpdateDeliveredAsync(
        IReadOnlyList<DocId> documents, Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var changed = documents.Where(_documents.ContainsKey).Select(document => (document, change(document, _delivered.GetValueOrDefault(document, [])))).ToArray();
            foreach (var (document, delivered) in changed) _delivered[document] = delivered;
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        return ValueTask.CompletedTask;
    }

    private IEnumerable<Row> From(DocId document, ulong index) =>
        _logs.TryGetValue(document, out var log) && index < (ulong)log.Count ? log.Skip((int)index) : [];

    private static LogEntry ToLogEntry(Row row) => new(row.Entry.Envelope.Id, row.Entry.Envelope.Header.Author, row.Entry.Envelope.Bytes);

    private static LogPlace ToPlace(Row row) => new(row.Entry.Index, row.Entry.Envelope.Id);

    private void Write(GroupCommit commit)
    {
        lock (_gate)
        {
            foreach (var entry in commit.Entries)
            {
                var document = entry.Envelope.Header.Document;
                if (!_logs.TryGetValue(document, out var log)) _logs.Add(document, log = []);
                if (entry.Index != (ulong)log.Count) throw new InvalidOperationException("The log would not be dense.");
                log.Add(new(entry, commit));
            }

            foreach (var state in commit.Documents) _documents[state.Document] = state;
            foreach (var (account, bytes) in commit.UsedBytes) _usedBytes[account] = bytes;
        }
    }

    private sealed record Row(NewEntry Entry, GroupCommit Commit);

    private sealed class Transaction(
        MemoryRelayStore store, IReadOnlyDictionary<DocId, DocumentState> documents, IReadOnlyDictionary<AccountId, ulong> usedBytes) : IRelayTransaction
    {
        public IReadOnlyDictionary<DocId, DocumentState> Documents => documents;

        public IReadOnlyDictionary<AccountId, ulong> UsedBytes => usedBytes;

        public Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken)
        {
            store.Write(commit);
            return Task.FromResult(true);
        }

        public ValueTask DisposeAsync()
        {
            store._writer.Release();
            return ValueTask.CompletedTask;
        }
    }
}
