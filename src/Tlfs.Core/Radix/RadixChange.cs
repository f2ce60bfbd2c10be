namespace Tlfs.Core.Radix;

/// <summary>A key that two versions hold differently.</summary>
/// <param name="Key">The whole key.</param>
/// <param name="Before">The older version's value; null when it has none.</param>
/// <param name="After">The newer version's value; null when it has none.</param>
public readonly record struct RadixChange(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Before, ReadOnlyMemory<byte>? After);
