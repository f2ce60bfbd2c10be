using System.Buffers.Binary;
using System.Security.Cryptography;
using Tlfs.Core.Crypto;

namespace CloudPeer.TestKit;

/// <summary>Entropy that a seed reproduces: SHA-256 over seed and counter. Safe for concurrent use. Only for tests.</summary>
public sealed class SeededEntropy(ulong seed) : IEntropy
{
    private ulong _counter;

    /// <inheritdoc />
    public void Fill(Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[16], block = stackalloc byte[32];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64BigEndian(input, seed);
            BinaryPrimitives.WriteUInt64BigEndian(input[8..], Interlocked.Increment(ref _counter) - 1);
            SHA256.HashData(input, block);
            var count = Math.Min(block.Length, destination.Length);
            block[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    /// <summary>A number from 0 up to, not including, <paramref name="limit"/>.</summary>
    public int Below(int limit)
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) % (uint)limit);
    }
}
