using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>An envelope as a replica keeps it.</summary>
/// <param name="Row">Its place in the store: ascending, causes before effects, never reused.</param>
/// <param name="Bundle">The row of the first envelope of its bundle; bundles are pushed together or not at all.</param>
/// <param name="Bytes">The envelope, as far as it is here.</param>
/// <param name="Present">The parts that are here, a bit each, the first one lowest; null if none is withheld.</param>
public sealed record StoredEnvelope(long Row, long Bundle, ReadOnlyMemory<byte> Bytes, ulong? Present = null);

/// <summary>A version of a document, stored so that opening it reads nothing but what is asked for.</summary>
/// <param name="Format">How it is encoded; one that this software does not know is left aside and made anew.</param>
/// <param name="Row">The last envelope that it includes.</param>
/// <param name="Bytes">Bytes of all envelopes that it includes.</param>
/// <param name="Root">The version's tree.</param>
public sealed record StoredCheckpoint(int Format, long Row, long Bytes, RadixRoot Root);

/// <summary>
/// Where a replica keeps its documents. What <see cref="Write{T}"/> has returned from is durable: a process killed at any instruction later loses
/// nothing of it. Several processes may use one store.
/// </summary>
public interface IReplicaStore : IDisposable
{
    /// <summary>The documents kept here, in the order in which they were added.</summary>
    IReadOnlyList<DocId> Documents();

    /// <summary>A document's envelopes with rows above <paramref name="after"/>, ascending.</summary>
    IEnumerable<StoredEnvelope> Envelopes(DocId document, long after);

    /// <summary>One of a document's envelopes; null if there is none in that row.</summary>
    StoredEnvelope? Envelope(DocId document, long row);

    /// <summary>A document's last checkpoint, or null.</summary>
    StoredCheckpoint? Checkpoint(DocId document);

    /// <summary>A page of a document's checkpoint; null if there is none with that number.</summary>
    ReadOnlyMemory<byte>? Page(DocId document, long page);

    /// <summary>What was withdrawn from a document, in the order of the chain.</summary>
    IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document);

    /// <summary>
    /// Runs work that nobody else's writes interleave with, in this process or another, and makes it durable. If the work throws, nothing of it happened.
    /// </summary>
    T Write<T>(Func<IReplicaWriter, T> work);
}

/// <summary>Writes inside <see cref="IReplicaStore.Write{T}"/>.</summary>
public interface IReplicaWriter
{
    /// <summary>Adds a document; adding it again does nothing.</summary>
    void AddDocument(DocId document);

    /// <summary>Removes a document and everything kept for it.</summary>
    void RemoveDocument(DocId document);

    /// <summary>Appends envelopes as one bundle and returns the row of the last.</summary>
    long Append(DocId document, IReadOnlyList<Envelope> bundle);

    /// <summary>Replaces an envelope by a copy of it that has more parts.</summary>
    void Fill(DocId document, long row, Envelope envelope);

    /// <summary>Stores a page of a checkpoint and returns its number, never used before.</summary>
    long AppendPage(DocId document, ReadOnlyMemory<byte> page);

    /// <summary>
    /// Replaces a document's checkpoint. The pages that the old one had to itself are deleted with the next but this, since another process may still read them.
    /// </summary>
    void SaveCheckpoint(DocId document, StoredCheckpoint checkpoint, IReadOnlyList<long> freed);

    /// <summary>Removes a document's checkpoint and all its pages; the envelopes stay.</summary>
    void DropCheckpoint(DocId document);

    /// <summary>Removes envelopes and the checkpoint, and keeps what the deltas among them were to do.</summary>
    /// <param name="document">The document.</param>
    /// <param name="rows">The envelopes.</param>
    /// <param name="edits">What to keep; one that is kept already is replaced.</param>
    /// <returns>The checkpoint's pages. They stay, since another process may still read them, until they are freed with the next checkpoint.</returns>
    IReadOnlyList<long> Withdraw(DocId document, IReadOnlyList<long> rows, IReadOnlyList<WithdrawnEdit> edits);

    /// <summary>Forgets what was withdrawn from a document.</summary>
    void ForgetWithdrawn(DocId document);
}
