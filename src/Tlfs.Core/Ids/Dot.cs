namespace Tlfs.Core.Ids;

/// <summary>
/// The name of one operation: its envelope, part and place in the part. Dots are ordered by these three, so their order
/// is that of hashes and the same on all replicas (docs/protocol/operations.md §3.1).
/// </summary>
/// <param name="Envelope">The envelope that carries the operation.</param>
/// <param name="Part">Index of the part in the envelope.</param>
/// <param name="Index">Index of the operation in the part.</param>
public readonly record struct Dot(EnvelopeId Envelope, ushort Part, uint Index) : IComparable<Dot>
{
    /// <inheritdoc />
    public int CompareTo(Dot other)
    {
        var order = Envelope.CompareTo(other.Envelope);
        if (order == 0) order = Part.CompareTo(other.Part);
        return order == 0 ? Index.CompareTo(other.Index) : order;
    }
}
