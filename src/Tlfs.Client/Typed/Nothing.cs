namespace Tlfs.Client.Typed;

/// <summary>What stands where a schema gives no type: the rows of a <c>Table&lt;u64&gt;</c> whose values have none, so that the table is a set.</summary>
public readonly record struct Nothing;
