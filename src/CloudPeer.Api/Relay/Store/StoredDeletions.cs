using System.Data.Common;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>
/// The end of a document's hosting, the same in both databases. <see cref="RemoveAsync"/> is the one place that knows what is kept for a document besides its
/// state row; whatever else is stored by document is removed there. The files of the blob folder are removed after the commit; those that a crash leaves, the
/// sweep finds.
/// </summary>
internal static class StoredDeletions
{
    /// <summary>See <see cref="IRelayTransaction.DeleteAsync"/>; the caller saves what the tenant uses, and commits.</summary>
    /// <returns>The blobs to remove after the commit.</returns>
    public static async Task<IReadOnlyList<StoredBlob>> DeleteAsync(DbConnection connection, DbTransaction transaction, DocumentDeletion deletion, CancellationToken cancellationToken)
    {
        var document = deletion.Document.Document;
        await using var forget = StoredUsage.Command(connection, transaction, "DELETE FROM document WHERE doc = @doc", ("doc", document.Value.ToArray()));
        await forget.ExecuteNonQueryAsync(cancellationToken);
        var (isPurged, blobs) = await RemoveAsync(connection, transaction, document, deletion.MaxEntries, cancellationToken);
        await using var mark = StoredUsage.Command(
            connection,
            transaction,
            $"""
            INSERT INTO deleted (doc, number, micros, purged) VALUES (@doc, @number, @micros, {isPurged})
            ON CONFLICT (doc) DO UPDATE SET number = excluded.number, micros = excluded.micros, purged = excluded.purged
            """,
            ("doc", document.Value.ToArray()),
            ("number", (long)deletion.Generation),
            ("micros", (long)deletion.Micros));
        await mark.ExecuteNonQueryAsync(cancellationToken);
        await using var tidy = StoredUsage.Command(
            connection, transaction, "DELETE FROM usage_share WHERE account = @account AND stored_bytes = 0", ("account", deletion.Host.Account.Value.ToArray()));
        await tidy.ExecuteNonQueryAsync(cancellationToken);
        return blobs;
    }

    /// <summary>See <see cref="IRelayStore.PurgeAsync"/>.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="folder">Where the blobs of the entries are.</param>
    /// <param name="locking">
    /// Keeps two nodes from removing the same entries: the second one would wait, find fewer than it looked for, and take the log for purged.
    /// </param>
    /// <param name="maxEntries">The most entries.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<bool> PurgeAsync(DbConnection connection, BlobFolder folder, string locking, int maxEntries, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var find = StoredUsage.Command(connection, transaction, "SELECT doc FROM deleted WHERE NOT purged LIMIT 1" + locking);
        if (await find.ExecuteScalarAsync(cancellationToken) is not byte[] document) return false;
        var (isPurged, blobs) = await RemoveAsync(connection, transaction, Id.From<DocId>(document), maxEntries, cancellationToken);
        if (isPurged)
        {
            await using var mark = StoredUsage.Command(connection, transaction, "UPDATE deleted SET purged = TRUE WHERE doc = @doc", ("doc", document));
            await mark.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        folder.Delete(blobs);
        return true;
    }

    // True if nothing is left. The rows of group commits stay: a commit may hold envelopes of many documents.
    private static async Task<(bool IsPurged, IReadOnlyList<StoredBlob> Blobs)> RemoveAsync(
        DbConnection connection, DbTransaction transaction, DocId document, int maxEntries, CancellationToken cancellationToken)
    {
        await using var delivered = StoredUsage.Command(connection, transaction, "DELETE FROM delivered WHERE doc = @doc", ("doc", document.Value.ToArray()));
        await delivered.ExecuteNonQueryAsync(cancellationToken);
        await using var command = StoredUsage.Command(
            connection,
            transaction,
            "DELETE FROM envelope WHERE doc = @doc AND idx IN (SELECT idx FROM envelope WHERE doc = @doc ORDER BY idx LIMIT @max) RETURNING id, blob_tag, blob_bytes",
            ("doc", document.Value.ToArray()),
            ("max", (long)maxEntries));
        var removed = await StoredUsage.ListAsync(command, row => (Blob: StoredBlob.Read(row), Bytes: row.GetInt64(2)), cancellationToken);
        return (removed.Count < maxEntries, [.. removed.Where(row => row.Bytes > 0).Select(row => row.Blob)]);
    }
}
