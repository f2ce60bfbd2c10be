using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>An envelope as a replica keeps it.</summary>
/// <param name="Row">Its place in the store: ascending, causes before effects, never reused.</param>
/// <param name="Bundle">The row of the first envelope of its bundle; bundles are pushed together or not at all.</param>
/// <param name="Bytes">The envelope.</param>
public sealed record StoredEnvelope(long Row, long Bundle, ReadOnlyMemory<byte> Bytes);

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
}
