namespace Tlfs.Core.Ids;

/// <summary>A grant: the id of the envelope that carries it.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct GrantId(Bytes32 Value) : IId<GrantId>
{
    /// <inheritdoc />
    public static string Prefix => "grant_";

    /// <inheritdoc />
    public static GrantId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(GrantId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);

    /// <summary>The envelope that carries the grant.</summary>
    public EnvelopeId Envelope => new(Value);
}
