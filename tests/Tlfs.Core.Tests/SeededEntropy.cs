using System.Buffers.Binary;
using System.Security.Cryptography;
using Tlfs.Core.Crypto;

namespace Tlfs.Core.Tests;

/// <summary>Bytes that a seed decides: SHA-256 of the seed and a counter.</summary>
internal sealed class SeededEntropy(ulong seed) : IEntropy
{
    private ulong _counter;

    public void Fill(Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[16], block = stackalloc byte[32];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(input, seed);
            BinaryPrimitives.WriteUInt64LittleEndian(input[8..], _counter++);
            SHA256.HashData(input, block);
            var count = Math.Min(32, destination.Length);
            block[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    /// <summary>A number below <paramref name="limit"/>.</summary>
    public int Below(int limit)
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes);
        return (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes) % (uint)limit);
    }
}
