namespace Tlfs.Core.Radix;

/// <summary>A key and its value. Neither is ever changed by the tree it came from.</summary>
/// <param name="Key">The whole key.</param>
/// <param name="Value">The value; may be empty.</param>
public readonly record struct RadixEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
