namespace Tlfs.Core.Ids;

/// <summary>An inbox message: <c>H_inbox</c> of its sealed bytes.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct MessageId(Bytes32 Value) : IId<MessageId>
{
    /// <inheritdoc />
    public static string Prefix => "invite_";

    /// <inheritdoc />
    public static MessageId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(MessageId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);
}
