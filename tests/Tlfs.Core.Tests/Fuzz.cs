using CloudPeer.TestKit;
using Tlfs.Core.Encoding;
using Xunit;

namespace Tlfs.Core.Tests;

/// <summary>Hostile bytes: random ones, and good ones that were changed a little.</summary>
internal static class Fuzz
{
    public delegate bool Decoder<T>(ReadOnlyMemory<byte> bytes, out T? value, out DecodeError error);

    /// <summary>
    /// Feeds a decoder random and mutated inputs. It must not throw; a refusal must have a reason; what it accepts must encode to the same bytes.
    /// </summary>
    public static void Decode<T>(ulong seed, int count, IReadOnlyList<byte[]> good, Decoder<T> decode, Func<T, byte[]> encode)
    {
        var entropy = new SeededEntropy(seed);
        var accepted = 0;
        for (var i = 0; i < count; i++)
        {
            var bytes = i % 4 == 0 ? Random(entropy) : Mutate(entropy, good[entropy.Below(good.Count)]);
            if (decode(bytes, out var value, out var error))
            {
                accepted++;
                Assert.Equal(bytes, encode(value!));
            }
            else
            {
                Assert.NotEqual(Reason.Internal, error.Reason);
                Assert.NotNull(error.Detail);
            }
        }

        Assert.InRange(accepted, 1, count - 1);
    }

    public static byte[] Mutate(SeededEntropy entropy, byte[] good)
    {
        var bytes = good.ToList();
        for (var changes = 1 + entropy.Below(3); changes > 0; changes--)
        {
            var at = entropy.Below(bytes.Count + 1);
            switch (entropy.Below(5))
            {
                case 0 when at < bytes.Count: bytes[at] = (byte)entropy.Below(256); break;
                case 1 when at < bytes.Count: bytes[at] ^= (byte)(1 << entropy.Below(8)); break;
                case 2 when at < bytes.Count: bytes.RemoveAt(at); break;
                case 3: bytes.Insert(at, (byte)entropy.Below(256)); break;
                default: bytes = bytes[..at]; break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Random(SeededEntropy entropy)
    {
        var bytes = new byte[entropy.Below(48)];
        entropy.Fill(bytes);
        return bytes;
    }
}
