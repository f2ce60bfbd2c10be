namespace Tlfs.Core.Ids;

/// <summary>A schema version: <c>H_schema</c> of its lens list.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct SchemaHash(Bytes32 Value) : IId<SchemaHash>
{
    /// <inheritdoc />
    public static string Prefix => "schema_";

    /// <inheritdoc />
    public static SchemaHash From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(SchemaHash other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);
}
