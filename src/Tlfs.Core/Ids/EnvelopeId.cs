namespace Tlfs.Core.Ids;

/// <summary>An envelope: <c>H_env</c> of its header.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct EnvelopeId(Bytes32 Value) : IId<EnvelopeId>
{
    /// <inheritdoc />
    public static string Prefix => "env_";

    /// <inheritdoc />
    public static EnvelopeId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(EnvelopeId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);

    /// <summary>The grant that this envelope carries.</summary>
    public GrantId Grant => new(Value);

    /// <summary>The zone that this envelope makes: its first 16 bytes.</summary>
    public ZoneId Zone => new(Value.ToArray().AsSpan(0, ZoneId.Size));
}
