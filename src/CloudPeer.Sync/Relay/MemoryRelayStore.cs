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
    private readonly Dictionary<AccountId, TenantUsage> _usage = [];
    private readonly Dictionary<(AccountId Tenant, UsageShare Share), ulong> _shares = [];
    private readonly Dictionary<DocId, (uint Number, ulong Micros)> _deleted = [];
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
            var deleted = documents.Where(id => !found.ContainsKey(id) && _deleted.ContainsKey(id))
                .ToDictionary(id => id, id => new DeletedDocument(_deleted[id].Number, IsPurged: true) { Micros = _deleted[id].Micros });
            var used = tenants.Concat(found.Values.Select(state => state.Host)).Distinct().Where(_usage.ContainsKey).ToDictionary(id => id, id => _usage[id]);
            return new Transaction(this, found, deleted, used);
        }
    }

    /// <inheritdoc />
    public Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_documents.GetValueOrDefault(document));
    }

    /// <inheritdoc />
    public Task<TenantUsage> FindUsageAsync(AccountId tenant, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_usage.GetValueOrDefault(tenant) ?? TenantUsage.Empty);
    }

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<PeerId, ulong>> ReadAuthorSharesAsync(AccountId tenant, int max, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyDictionary<PeerId, ulong>>(
                _shares.Where(pair => pair.Key.Tenant == tenant && pair.Key.Share.Kind == ShareKinds.Authors).OrderByDescending(pair => pair.Value).Take(max)
                    .ToDictionary(pair => pair.Key.Share.Author, pair => pair.Value));
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<string, ulong>> ReadAppBytesAsync(
        AccountId tenant, IReadOnlyCollection<string> apps, bool counted, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var all = counted
                ? _shares.Where(pair => pair.Key.Tenant == tenant && pair.Key.Share.Kind == ShareKinds.Apps).Select(pair => (pair.Key.Share.App, Bytes: pair.Value))
                : _documents.Values.Where(state => state.Host == tenant).Select(state => (state.App, Bytes: state.StoredBytes));
            return Task.FromResult<IReadOnlyDictionary<string, ulong>>(all.Where(each => apps.Contains(each.App, StringComparer.Ordinal)).GroupBy(each => each.App, StringComparer.Ordinal)
                .ToDictionary(app => app.Key, app => app.Aggregate(0UL, (sum, each) => sum + each.Bytes), StringComparer.Ordinal));
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<HostedDocument>> ReadHostedAsync(AccountId tenant, int max, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<HostedDocument>>(
            [
                .. _documents.Values.Where(state => state.Host == tenant).OrderByDescending(state => state.StoredBytes).ThenBy(state => state.Document).Take(max)
                    .Select(state => new HostedDocument(state.Document, state.StoredBytes, state.Size, state.App)),
            ]);
        }
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
    public Task<IReadOnlyList<PlacedEntry>> ReadStatementsAsync(DocId document, uint generation, ulong from, int max, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var rows = _documents.GetValueOrDefault(document)?.Generation == generation ? From(document, from) : [];
            return Task.FromResult<IReadOnlyList<PlacedEntry>>(
            [
                .. rows.Where(row => row.Entry.Envelope.Header.Type == EnvelopeType.Policy).Take(max).Select(row => new PlacedEntry(row.Entry.Index, ToLogEntry(row))),
            ]);
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
            var restored = _generations.Select(each => new StoredGeneration(each.Number, each.Micros, each.Logs.GetValueOrDefault(document, CompactRange.Empty)));
            if (_deleted.TryGetValue(document, out var deleted)) restored = restored.Append(new(deleted.Number, deleted.Micros, CompactRange.Empty));
            return Task.FromResult<IReadOnlyList<StoredGeneration>>([.. restored.OrderBy(each => each.Number)]);
        }
    }

    /// <inheritdoc />
    public Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var earlier = _generations.Select(each => (each.Number, each.Micros)).Concat(_deleted.Values).ToList();
            var next = StoredGeneration.Next(
                earlier.Count == 0 ? null : (earlier.Max(each => each.Number), earlier.Max(each => each.Micros)),
                _logs.Values.SelectMany(log => log).Select(row => row.Commit.Micros).DefaultIfEmpty().Max(),
                micros);
            _generations.Add((next.Number, next.Micros, _documents.ToDictionary(pair => pair.Key, pair => pair.Value.Log)));
            return Task.FromResult((next.Number, _documents.Count));
        }
    }

    /// <inheritdoc />
    public Task<bool> PurgeAsync(int maxEntries, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc />
    public Task<IReadOnlyList<DocId>> ReadDocumentsAsync(DocId? after, int max, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult<IReadOnlyList<DocId>>([.. _documents.Keys.Order().Where(id => after is null || id.CompareTo(after.Value) > 0).Take(max)]);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<AccountId>> ReadTenantsAsync(AccountId? after, int max, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var all = _documents.Values.Select(state => state.Host).Concat(_usage.Keys).Distinct().Order();
            return Task.FromResult<IReadOnlyList<AccountId>>([.. all.Where(id => after is null || id.CompareTo(after.Value) > 0).Take(max)]);
        }
    }

    /// <inheritdoc />
    public Task<DocumentCount?> CountDocumentAsync(DocId document, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_documents.TryGetValue(document, out var state)) return Task.FromResult<DocumentCount?>(null);
            var bytes = From(document, 0).GroupBy(row => row.Entry.Envelope.Header.Author)
                .ToDictionary(author => author.Key, author => (ulong)author.Sum(row => (long)row.Entry.Envelope.Bytes.Length));
            return Task.FromResult<DocumentCount?>(new(state, (ulong)From(document, 0).Count(), bytes));
        }
    }

    /// <inheritdoc />
    public Task<TenantCount> CountTenantAsync(AccountId tenant, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var documents = _documents.Values.Where(state => state.Host == tenant).ToList();
            var shares = documents.SelectMany(state => state.Shares()).GroupBy(each => each.Share)
                .ToDictionary(share => share.Key, share => share.Aggregate(0UL, (sum, each) => sum + each.Bytes));
            return Task.FromResult(new TenantCount(
                _usage.GetValueOrDefault(tenant) ?? TenantUsage.Empty,
                _shares.Where(pair => pair.Key.Tenant == tenant).ToDictionary(pair => pair.Key.Share, pair => pair.Value),
                documents.Aggregate(0UL, (sum, state) => sum + state.StoredBytes),
                (ulong)documents.Count,
                shares));
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
            foreach (var change in commit.Usage) Write(change);
        }
    }

    private void Write(UsageChange change)
    {
        _usage[change.Account] = change.Usage;
        foreach (var old in _shares.Keys.Where(key => key.Tenant == change.Account && change.Recounted.HasFlag(key.Share.Kind)).ToList()) _shares.Remove(old);
        foreach (var (share, bytes) in change.Shares) _shares[(change.Account, share)] = bytes;
    }

    private void Delete(DocumentDeletion deletion)
    {
        lock (_gate)
        {
            _documents.Remove(deletion.Document.Document);
            _logs.Remove(deletion.Document.Document);
            _delivered.Remove(deletion.Document.Document);
            _deleted[deletion.Document.Document] = (deletion.Generation, deletion.Micros);
            Write(deletion.Host);
        }
    }

    private Dictionary<UsageShare, ulong> Find(AccountId tenant, IReadOnlyCollection<UsageShare> shares)
    {
        lock (_gate) return shares.Where(share => _shares.ContainsKey((tenant, share))).ToDictionary(share => share, share => _shares[(tenant, share)]);
    }

    private sealed record Row(NewEntry Entry, GroupCommit Commit);

    private sealed class Transaction(
        MemoryRelayStore store, IReadOnlyDictionary<DocId, DocumentState> documents, IReadOnlyDictionary<DocId, DeletedDocument> deleted,
        IReadOnlyDictionary<AccountId, TenantUsage> usage) : IRelayTransaction
    {
        public IReadOnlyDictionary<DocId, DocumentState> Documents => documents;

        public IReadOnlyDictionary<DocId, DeletedDocument> Deleted => deleted;

        public IReadOnlyDictionary<AccountId, TenantUsage> Usage => usage;

        public Task<IReadOnlyDictionary<UsageShare, ulong>> FindSharesAsync(
            AccountId tenant, IReadOnlyCollection<UsageShare> shares, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<UsageShare, ulong>>(store.Find(tenant, shares));

        public Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken)
        {
            store.Write(commit);
            return Task.FromResult(true);
        }

        public Task DeleteAsync(DocumentDeletion deletion, CancellationToken cancellationToken)
        {
            store.Delete(deletion);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            store._writer.Release();
            return ValueTask.CompletedTask;
        }
    }
}
