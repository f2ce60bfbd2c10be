namespace Tlfs.Core.Ids;

/// <summary>A document: the Ed25519 public key of an authority that exists only to sign the document's genesis.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct DocId(Bytes32 Value) : IId<DocId>
{
    /// <inheritdoc />
    public static string Prefix => "doc_";

    /// <inheritdoc />
    public static DocId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(DocId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);

    /// <summary>The authority as the author of the genesis.</summary>
    public PeerId Authority => new(Value);
}
