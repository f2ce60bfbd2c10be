using CloudPeer.Sync.Log;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>An envelope that a group commit appends.</summary>
/// <param name="Envelope">The envelope; its header names the document.</param>
/// <param name="Index">Its place in the document's log.</param>
/// <param name="AuthorPreviousIndex">The place of the author's previous envelope; null for the first.</param>
/// <param name="Root">The log's root just after it.</param>
/// <param name="Position">Its place among the envelopes of the commit, from 0.</param>
public sealed record NewEntry(Envelope Envelope, ulong Index, ulong? AuthorPreviousIndex, Bytes32 Root, int Position);

/// <summary>One group commit: all of it becomes durable, or nothing.</summary>
/// <param name="Entries">What is appended, in commit order; empty if only counters are corrected.</param>
/// <param name="Documents">The new state of each document that has an entry.</param>
/// <param name="Usage">The new use of each tenant that is charged.</param>
/// <param name="Micros">The commit's time, microseconds since 1970.</param>
/// <param name="ReceiptHashes">The receipt hash of each entry (log.md §4.1).</param>
/// <param name="Signature">The server's signature over their batch tree.</param>
public sealed record GroupCommit(
    IReadOnlyList<NewEntry> Entries,
    IReadOnlyCollection<DocumentState> Documents,
    IReadOnlyCollection<UsageChange> Usage,
    ulong Micros,
    IReadOnlyList<Bytes32> ReceiptHashes,
    byte[] Signature)
{
    /// <summary>Corrects counters without appending anything.</summary>
    public static GroupCommit Correction(IReadOnlyCollection<DocumentState> documents, IReadOnlyCollection<UsageChange> usage, ulong micros) =>
        new([], documents, usage, micros, [], []);
}

/// <summary>The end of a document's hosting.</summary>
/// <param name="Document">The document as it is.</param>
/// <param name="Host">What its tenant uses without it.</param>
/// <param name="Generation">The number of the generation with which it begins if it is pushed again (log.md §6.6).</param>
/// <param name="Micros">When that generation begins, microseconds since 1970.</param>
/// <param name="MaxEntries">How many entries are removed at once; the others are left to <see cref="IRelayStore.PurgeAsync"/>.</param>
public sealed record DocumentDeletion(DocumentState Document, UsageChange Host, uint Generation, ulong Micros, int MaxEntries);

/// <summary>A document that was deleted.</summary>
/// <param name="Generation">The generation with which it begins if it is pushed again.</param>
/// <param name="IsPurged">False while entries of it remain, which a new log must wait for.</param>
public sealed record DeletedDocument(uint Generation, bool IsPurged)
{
    /// <summary>When that generation begins, microseconds since 1970: nothing of the new log is signed with an earlier time.</summary>
    public ulong Micros { get; init; }
}

/// <summary>An envelope as the log has it.</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Author">Who signed it.</param>
/// <param name="Bytes">The envelope's bytes.</param>
public sealed record LogEntry(EnvelopeId Id, PeerId Author, ReadOnlyMemory<byte> Bytes);

/// <summary>A piece of a log, and a state of the document that the piece belongs to.</summary>
/// <param name="State">The document.</param>
/// <param name="Entries">
/// Dense from the index asked for, and below the state's size; empty past the end. Empty before it if the document was deleted after the state was read, or the
/// log lacks entries.
/// </param>
public sealed record LogSlice(DocumentState State, IReadOnlyList<LogEntry> Entries);

/// <summary>An envelope and where it lies in the log.</summary>
/// <param name="Index">The place.</param>
/// <param name="Entry">The envelope.</param>
public sealed record PlacedEntry(ulong Index, LogEntry Entry);

/// <summary>Where an envelope lies in its document's log.</summary>
/// <param name="Index">The place.</param>
/// <param name="Id">The envelope.</param>
public sealed record LogPlace(ulong Index, EnvelopeId Id);

/// <summary>What a receipt is made from when an envelope is pushed again.</summary>
/// <param name="Place">The envelope.</param>
/// <param name="Root">The log's root just after it.</param>
/// <param name="Position">Its place in its commit.</param>
/// <param name="Micros">The commit's time.</param>
/// <param name="ReceiptHashes">The receipt hashes of the whole commit.</param>
/// <param name="Signature">The commit's signature.</param>
public sealed record StoredReceipt(
    LogPlace Place, Bytes32 Root, int Position, ulong Micros, IReadOnlyList<Bytes32> ReceiptHashes, byte[] Signature);

/// <summary>A log generation (log.md §6), and what a document's log was when it began.</summary>
/// <param name="Number">The generation.</param>
/// <param name="Micros">When it began, microseconds since 1970.</param>
/// <param name="Log">The log that was restored; empty for a document that came later.</param>
public sealed record StoredGeneration(uint Number, ulong Micros, CompactRange Log)
{
    /// <summary>The number and time of the generation to begin.</summary>
    /// <param name="last">The newest one that is stored, if any.</param>
    /// <param name="lastCommit">When the newest envelope was stored; 0 if none is.</param>
    /// <param name="now">The time.</param>
    public static (uint Number, ulong Micros) Next((uint Number, ulong Micros)? last, ulong lastCommit, ulong now)
    {
        var micros = Math.Max(now, Math.Max(lastCommit, last?.Micros ?? 0) + 1);
        return (Math.Max((last?.Number ?? 0) + 1, (uint)Math.Min(micros / 1_000_000, uint.MaxValue)), micros);
    }
}

/// <summary>
/// Where a relay keeps its logs: in memory here, SQLite and PostgreSQL in the host. Every member may be called concurrently. A failure of
/// the environment is a <see cref="Tlfs.Core.TlfsException"/> with <see cref="Tlfs.Core.Reason.Unavailable"/> or
/// <see cref="Tlfs.Core.Reason.StorageFull"/>; the store works again, without a restart, when its environment does.
/// </summary>
public interface IRelayStore : IAsyncDisposable
{
    /// <summary>
    /// Begins a group commit: locks the documents, then the tenants, each in ascending order, until the transaction ends. Other processes
    /// over the same database wait, so what the transaction shows is current.
    /// </summary>
    /// <param name="documents">The documents, whether they exist or not.</param>
    /// <param name="tenants">Tenants whose use is wanted beside those that host the documents.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IRelayTransaction> BeginAsync(
        IReadOnlyCollection<DocId> documents, IReadOnlyCollection<AccountId> tenants, CancellationToken cancellationToken);

    /// <summary>A document's state, or null if there is none.</summary>
    Task<DocumentState?> FindAsync(DocId document, CancellationToken cancellationToken);

    /// <summary>What a tenant uses by the last commit, without waiting for the one under way.</summary>
    Task<TenantUsage> FindUsageAsync(AccountId tenant, CancellationToken cancellationToken);

    /// <summary>The counted bytes of the authors in a tenant's room who use most, at most <paramref name="max"/> of them.</summary>
    Task<IReadOnlyDictionary<PeerId, ulong>> ReadAuthorSharesAsync(AccountId tenant, int max, CancellationToken cancellationToken);

    /// <summary>What the documents of some apps use of a tenant's room, in bytes; one that is absent uses nothing.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="apps">The apps.</param>
    /// <param name="counted">True if the tenant's apps are counted (<see cref="TenantUsage.Counted"/>), else it is added up from its documents.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyDictionary<string, ulong>> ReadAppBytesAsync(AccountId tenant, IReadOnlyCollection<string> apps, bool counted, CancellationToken cancellationToken);

    /// <summary>The documents that a tenant hosts, the largest first, at most <paramref name="max"/>.</summary>
    Task<IReadOnlyList<HostedDocument>> ReadHostedAsync(AccountId tenant, int max, CancellationToken cancellationToken);

    /// <summary>Entries from an index on, at most so many and so many bytes (one entry may be larger), or null if there is no such document.</summary>
    Task<LogSlice?> ReadAsync(DocId document, ulong from, int maxEntries, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Policy statements of one log of a document, in its order; none if the document is not there, or has another log by now.</summary>
    /// <param name="document">The document.</param>
    /// <param name="generation">Which log (<see cref="DocumentState.Generation"/>).</param>
    /// <param name="from">The first index.</param>
    /// <param name="max">The most statements.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<PlacedEntry>> ReadStatementsAsync(DocId document, uint generation, ulong from, int max, CancellationToken cancellationToken);

    /// <summary>The ids of the entries from an index on, at most <paramref name="max"/>.</summary>
    Task<IReadOnlyList<LogPlace>> ReadIdsAsync(DocId document, ulong from, int max, CancellationToken cancellationToken);

    /// <summary>Those of the given envelopes that the log holds. Ids have no index: the log is searched from its end.</summary>
    Task<IReadOnlyList<LogPlace>> FindIdsAsync(DocId document, IReadOnlyCollection<EnvelopeId> ids, CancellationToken cancellationToken);

    /// <summary>The envelope that lies so many steps back on the chain of the author of the entry at <paramref name="index"/>; null if the chain is shorter.</summary>
    Task<LogPlace?> WalkBackAsync(DocId document, ulong index, ulong steps, CancellationToken cancellationToken);

    /// <summary>What the receipt of the entry at an index is made from.</summary>
    Task<StoredReceipt?> FindReceiptAsync(DocId document, ulong index, CancellationToken cancellationToken);

    /// <summary>The generations of a document's log, oldest first; also of one that does not exist yet.</summary>
    Task<IReadOnlyList<StoredGeneration>> ReadGenerationsAsync(DocId document, CancellationToken cancellationToken);

    /// <summary>
    /// Begins a generation of all logs, as they are. Its number is greater than any before, also than those that a restore lost: it is at least the
    /// time in seconds; and it begins after everything that is stored.
    /// </summary>
    /// <param name="micros">The time, microseconds since 1970.</param>
    /// <param name="cancellationToken">Gives up; nothing has changed then.</param>
    /// <returns>The generation's number, and how many logs there are.</returns>
    Task<(uint Number, int Documents)> BeginGenerationAsync(ulong micros, CancellationToken cancellationToken);

    /// <summary>
    /// Tells what other processes over the same database change, soon after each of their commits, and nothing of this store's own. The first that it
    /// tells, as soon as it listens, is <see cref="ChangedElsewhere.Any"/>, since nothing was told before. It ends with the token, or when it
    /// cannot listen any more: then it is to be called again. A store with one process has nothing to tell, and returns at once.
    /// </summary>
    /// <param name="tell">Takes it; quick, and never throws.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task WatchAsync(Action<ChangedElsewhere> tell, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes entries of deleted documents, at most so many.</summary>
    /// <returns>True if there may be more.</returns>
    Task<bool> PurgeAsync(int maxEntries, CancellationToken cancellationToken);

    /// <summary>The documents after one, ascending, at most <paramref name="max"/>; null for the first ones.</summary>
    Task<IReadOnlyList<DocId>> ReadDocumentsAsync(DocId? after, int max, CancellationToken cancellationToken);

    /// <summary>The accounts after one that have documents or a row of use, ascending, at most <paramref name="max"/>; null for the first ones.</summary>
    Task<IReadOnlyList<AccountId>> ReadTenantsAsync(AccountId? after, int max, CancellationToken cancellationToken);

    /// <summary>Counts a document's envelopes; null if there is no such document. What it compares is of one moment, and nobody waits for it.</summary>
    Task<DocumentCount?> CountDocumentAsync(DocId document, CancellationToken cancellationToken);

    /// <summary>Counts what a tenant's documents say that it uses. What it compares is of one moment, and nobody waits for it.</summary>
    Task<TenantCount> CountTenantAsync(AccountId tenant, CancellationToken cancellationToken);

    /// <summary>What the devices of a document have acknowledged, as it was stored.</summary>
    Task<IReadOnlyList<Delivered>> ReadDeliveredAsync(DocId document, CancellationToken cancellationToken);

    /// <summary>Changes what the devices of documents have acknowledged, all at once; a document that does not exist is left out.</summary>
    /// <param name="documents">The documents, ascending.</param>
    /// <param name="change">Makes what is known of a document from what was. It may be called again.</param>
    /// <param name="cancellationToken">Gives up; nothing has changed then.</param>
    Task UpdateDeliveredAsync(
        IReadOnlyList<DocId> documents, Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change, CancellationToken cancellationToken);
}

/// <summary>A group commit in progress. Disposing it without <see cref="CommitAsync"/> changes nothing.</summary>
public interface IRelayTransaction : IAsyncDisposable
{
    /// <summary>The locked documents that exist.</summary>
    IReadOnlyDictionary<DocId, DocumentState> Documents { get; }

    /// <summary>Those of the documents that do not exist because they were deleted.</summary>
    IReadOnlyDictionary<DocId, DeletedDocument> Deleted { get; }

    /// <summary>What each locked tenant uses; one that is absent uses nothing.</summary>
    IReadOnlyDictionary<AccountId, TenantUsage> Usage { get; }

    /// <summary>Bytes of some shares of a locked tenant's room; one that is absent is 0.</summary>
    Task<IReadOnlyDictionary<UsageShare, ulong>> FindSharesAsync(AccountId tenant, IReadOnlyCollection<UsageShare> shares, CancellationToken cancellationToken);

    /// <summary>
    /// Writes the commit and returns when it is durable. False if another process created one of its documents or tenants at the same
    /// moment: nothing was written, and the whole transaction is to be tried again.
    /// </summary>
    Task<bool> CommitAsync(GroupCommit commit, CancellationToken cancellationToken);

    /// <summary>Deletes a locked document instead, and returns when that is durable: its room is free from then on.</summary>
    Task DeleteAsync(DocumentDeletion deletion, CancellationToken cancellationToken);
}
