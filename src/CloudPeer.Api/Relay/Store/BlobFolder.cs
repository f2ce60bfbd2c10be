using System.Buffers.Binary;
using CloudPeer.Api.Data;
using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Relay.Store;

/// <summary>
/// Large parts of snapshots as files, so that the database stays small and quick to copy. A file is on the disk before the commit that refers to it; a
/// commit that then fails leaves a file that nobody refers to, which <see cref="SweepAsync"/> removes. Files never change.
/// </summary>
/// <param name="path">The folder, made when it is needed; null to store everything in the database.</param>
/// <param name="minimumBytes">Parts of a snapshot that have so many bytes together become a file.</param>
internal sealed class BlobFolder(string? path, int minimumBytes = BlobFolder.MinimumBytes)
{
    /// <summary>Bytes of a snapshot's parts from which on they are a file. Below, a row is cheaper than a file and its flush.</summary>
    public const int MinimumBytes = 64 << 10;

    /// <summary>How old a file must be before it is swept: no commit takes that long.</summary>
    public static readonly TimeSpan SweepAge = TimeSpan.FromHours(1);

    private const int SweepBatch = 512;

    /// <summary>Stores everything in the database.</summary>
    public static BlobFolder None { get; } = new(null);

    /// <summary>Writes the files that a commit refers to and returns when they are durable; the answer has the envelopes whose parts are files now.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.StorageFull"/> or <see cref="Reason.Unavailable"/>: the commit must not be made.</exception>
    public async Task<IReadOnlyDictionary<NewEntry, StoredBlob>> SaveAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        Dictionary<NewEntry, StoredBlob> saved = new(ReferenceEqualityComparer.Instance);
        if (path is null) return saved;
        foreach (var entry in entries.Where(entry => Takes(entry.Envelope)))
        {
            var blob = new StoredBlob(entry.Envelope.Id, BinaryPrimitives.ReadInt64BigEndian(SystemEntropy.Instance.Bytes(sizeof(long))));
            await Task.Run(() => Save(blob, entry.Envelope.PartBytes), cancellationToken);
            saved.Add(entry, blob);
        }

        return saved;
    }

    /// <summary>Entries with the parts that are files.</summary>
    /// <param name="rows">The entries.</param>
    /// <param name="index">Tells which files are still wanted: a document may have been deleted, with its files, after its rows were read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TlfsException"><see cref="Reason.Unavailable"/>, caused by a <see cref="DamagedBlobException"/>: a file is not there or not what was written.</exception>
    public async Task<IReadOnlyList<LogEntry>> CompleteAsync(IReadOnlyList<StoredRow> rows, IBlobIndex index, CancellationToken cancellationToken)
    {
        var entries = new LogEntry[rows.Count];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = rows[i].Blob is { } blob ? await CompleteAsync(rows[i], blob, index, cancellationToken) : rows[i].Entry;
        return entries;
    }

    /// <summary>
    /// Removes files. For a deletion, after its commit and with what it deleted (<see cref="StoredBlob.Columns"/>): the room is free at once then. What is
    /// left out, or cannot be removed now, is swept later.
    /// </summary>
    public void Delete(IEnumerable<StoredBlob> blobs)
    {
        if (path is null) return;
        foreach (var blob in blobs) TryDelete(Path.Combine(path, blob.File));
    }

    /// <summary>Removes files that no row refers to and that are older than <see cref="SweepAge"/>. Files that are not this server's are left alone.</summary>
    /// <param name="index">Tells which blobs rows refer to.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>How many were removed.</returns>
    public async Task<int> SweepAsync(IBlobIndex index, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (path is null || !Directory.Exists(path)) return 0;
        var swept = 0;
        foreach (var batch in OldFiles(path, now - SweepAge).Chunk(SweepBatch))
        {
            var referred = await index.FindBlobsAsync([.. batch.Select(file => file.Blob.Envelope)], cancellationToken);
            foreach (var (file, blob) in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // What was not yet renamed when the machine stopped is nobody's, whatever its name.
                if (DurableFile.IsTemporary(file) || !referred.Contains(blob)) swept += TryDelete(file) ? 1 : 0;
            }
        }

        return swept;
    }

    private static IEnumerable<(string File, StoredBlob Blob)> OldFiles(string folder, DateTimeOffset limit)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (!StoredBlob.TryParse(DurableFile.FinalName(Path.GetFileName(file)), out var blob)) continue;
            if (DurableFile.FinalName(file).EndsWith(blob.File, StringComparison.Ordinal) && File.GetLastWriteTimeUtc(file) < limit.UtcDateTime) yield return (file, blob);
        }
    }

    private static bool TryDelete(string file)
    {
        try
        {
            File.Delete(file);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private bool Takes(Envelope envelope) => envelope.Header.Type == EnvelopeType.Snapshot && envelope.PartBytes.Length >= minimumBytes;

    private void Save(StoredBlob blob, ReadOnlyMemory<byte> parts)
    {
        try
        {
            DurableFile.Write(Path.Combine(path!, blob.File), parts.Span);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DurableFile.IsFull(e)
                ? new TlfsException(Reason.StorageFull, "The server's disk is full; what is stored can still be read.", e)
                : new TlfsException(Reason.Unavailable, "The server cannot store snapshots at the moment.", e);
        }
    }

    private async Task<LogEntry> CompleteAsync(StoredRow row, StoredBlob blob, IBlobIndex index, CancellationToken cancellationToken)
    {
        try
        {
            return await CompleteAsync(row, blob, cancellationToken);
        }
        catch (TlfsException e) when (e.InnerException is DamagedBlobException)
        {
            if ((await index.FindBlobsAsync([blob.Envelope], cancellationToken)).Contains(blob)) throw;
            throw new TlfsException(Reason.Unavailable, "The document was removed at this moment; try again.", e);
        }
    }

    private async Task<LogEntry> CompleteAsync(StoredRow row, StoredBlob blob, CancellationToken cancellationToken)
    {
        try
        {
            if (path is null) throw new DamagedBlobException(blob, "no blob folder is set");
            var file = Path.Combine(path, blob.File);
            var found = new FileInfo(file);
            if (!found.Exists) throw new DamagedBlobException(blob, "the file is missing");
            if (found.Length != row.BlobBytes) throw new DamagedBlobException(blob, "the file has another length");
            var parts = await File.ReadAllBytesAsync(file, cancellationToken);
            byte[] bytes = [.. row.Entry.Bytes.Span, .. parts];
            // The header names the hash of each part, so other bytes are never served.
            return Envelope.TryDecode(bytes, out var envelope, out var error) && envelope.Id == row.Entry.Id
                ? row.Entry with { Bytes = bytes }
                : throw new DamagedBlobException(blob, error.Detail ?? "it is another envelope's");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DamagedBlobException)
        {
            throw new TlfsException(Reason.Unavailable, "The server cannot read a part of this document at the moment.", e);
        }
    }
}

/// <summary>Which blobs the rows of a store refer to.</summary>
internal interface IBlobIndex
{
    /// <summary>The blobs of those of these envelopes that have one.</summary>
    Task<IReadOnlySet<StoredBlob>> FindBlobsAsync(IReadOnlyCollection<Tlfs.Core.Ids.EnvelopeId> envelopes, CancellationToken cancellationToken);
}

/// <summary>A file of the blob folder that a row refers to is not there, or is not what was written.</summary>
/// <param name="blob">The file.</param>
/// <param name="fault">What is wrong with it.</param>
internal sealed class DamagedBlobException(StoredBlob blob, string fault) : Exception($"The blob {Path.GetFileName(blob.File)} cannot be used: {fault}.")
{
    /// <summary>The file.</summary>
    public StoredBlob Blob => blob;
}
