namespace Tlfs.Core.Ids;

/// <summary>A person: the DocId of an account document.</summary>
/// <param name="Value">The 32 bytes.</param>
public readonly record struct AccountId(Bytes32 Value) : IId<AccountId>
{
    /// <inheritdoc />
    public static string Prefix => "acct_";

    /// <inheritdoc />
    public static AccountId From(Bytes32 value) => new(value);

    /// <inheritdoc />
    public int CompareTo(AccountId other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Id.Format(this);

    /// <summary>The account's document.</summary>
    public DocId Document => new(Value);
}
