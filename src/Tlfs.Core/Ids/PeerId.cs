namespace Tlfs.Core.Ids;

/// <summary>A device or server: its Ed25519 public key.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct PeerId(Bytes32 Value) : IId<PeerId>
{
    /// <inheritdoc />
    public static string Prefix => "peer_";

    /// <inheritdoc />
    public static PeerId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(PeerId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);
}
