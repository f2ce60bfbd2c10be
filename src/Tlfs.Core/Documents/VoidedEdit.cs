using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

/// <summary>A delta that counts for nothing, with what it was to do.</summary>
/// <param name="Envelope">The delta.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="Seq">Its number in its author's chain.</param>
/// <param name="Reason">Why it does not count, or why it was withdrawn.</param>
/// <param name="Why">One sentence for a person, where there is more to say.</param>
/// <param name="Withdrawn">True if this device took it back: it is not in the document's log any more.</param>
/// <param name="Operations">What it was to do, in order; null if it cannot be opened here.</param>
/// <param name="Closed">Why it cannot be opened; null if it is open.</param>
public sealed record VoidedEdit(
    EnvelopeId Envelope, PeerId Author, ulong Seq, Reason Reason, string? Why, bool Withdrawn, IReadOnlyList<VoidedOperation>? Operations, Reason? Closed);

/// <summary>What an operation does.</summary>
public enum VoidedKind
{
    /// <summary>It carries a schema version.</summary>
    Schema,
    /// <summary>It puts a value, or makes a row or element exist.</summary>
    Put,
    /// <summary>It takes away what its author saw at a place.</summary>
    Remove,
    /// <summary>It puts an element at a position of its array.</summary>
    Place,
}

/// <summary>One operation, for a person or a program to read.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Path">
/// Where, by view path, with the index that an element has now or would have; the storage path in hexadecimal if the schema version does not show the place.
/// </param>
/// <param name="Value">The JSON of the value of a put, or the label of a schema version; else null.</param>
public sealed record VoidedOperation(VoidedKind Kind, string Path, string? Value);
