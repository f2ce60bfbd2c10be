using Geralt;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>BLAKE2b: RFC 7693 A, and the two forms that encoding.md §3 uses: 256 bits, and 128 bits with a key.</summary>
public sealed class HashVectors
{
    [Fact]
    public void Hashes_are_those_of_RFC_7693_and_of_another_implementation()
    {
        var lines = VectorFile.Lines("blake2b.txt");
        Assert.Equal(18, lines.Count);
        foreach (var line in lines)
        {
            byte[] key = VectorFile.Bytes(line[1]), message = VectorFile.Bytes(line[2]), expected = VectorFile.Bytes(line[3]);
            var hash = new byte[expected.Length];
            if (key.Length == 0) BLAKE2b.ComputeHash(hash, message);
            else BLAKE2b.ComputeTag(hash, message, key);
            Assert.Equal(line[3], Convert.ToHexStringLower(hash));
        }
    }
}
