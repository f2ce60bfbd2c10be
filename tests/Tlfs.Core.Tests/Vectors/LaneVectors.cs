using System.Runtime.Intrinsics;
using CloudPeer.TestKit;
using Geralt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>BLAKE2b four at a time is the library's, for every length that fits.</summary>
public sealed class LaneVectors
{
    [Fact]
    public void Hashes_in_lanes_are_those_of_the_library()
    {
        var entropy = new SeededEntropy(50);
        for (var length = 0; length <= Blake2bLanes.BlockSize; length++)
        {
            int[] lengths = [length, Blake2bLanes.BlockSize - length, entropy.Below(Blake2bLanes.BlockSize + 1), 0];
            var inputs = lengths.Select(count => entropy.Bytes(count)).ToArray();
            var blocks = inputs.SelectMany(input => (byte[])[.. input, .. new byte[Blake2bLanes.BlockSize - input.Length]]).ToArray();
            var hashes = new Bytes32[Blake2bLanes.Lanes];
            Blake2bLanes.Hash(blocks, Vector256.Create((ulong)lengths[0], (ulong)lengths[1], (ulong)lengths[2], (ulong)lengths[3]), hashes);
            var expected = new byte[Bytes32.Size];
            for (var lane = 0; lane < Blake2bLanes.Lanes; lane++)
            {
                BLAKE2b.ComputeHash(expected, inputs[lane]);
                Assert.Equal(Convert.ToHexStringLower(expected), hashes[lane].ToString());
            }
        }
    }

    [Fact]
    public void Salts_in_lanes_are_those_of_the_library()
    {
        var entropy = new SeededEntropy(51);
        for (var round = 0; round < 50; round++)
        {
            using var key = SecretKey.Random(entropy);
            var first = entropy.Below(Limits.Operations);
            var state = new Vector256<ulong>[8];
            var tags = new byte[4 * Salt.Size];
            Blake2bLanes.Key(key.Bytes, state);
            Blake2bLanes.Tags(state, first, tags);
            var expected = new byte[Salt.Size];
            for (var lane = 0; lane < Blake2bLanes.Lanes; lane++)
            {
                Hashing.LeafSalt(key, first + lane, expected);
                Assert.Equal(expected, tags[(lane * Salt.Size)..((lane + 1) * Salt.Size)]);
            }
        }
    }
}
