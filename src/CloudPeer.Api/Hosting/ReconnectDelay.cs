using System.Buffers.Binary;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// When the clients of a server that stops are to connect again: each at another time, so that those of one node do not arrive at the next one together.
/// </summary>
/// <param name="entropy">Spreads them.</param>
internal sealed class ReconnectDelay(IEntropy entropy)
{
    /// <summary>The shortest delay.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>The delay of one client.</summary>
    public TimeSpan Next()
    {
        var fraction = BinaryPrimitives.ReadUInt32LittleEndian(entropy.Bytes(sizeof(uint))) / (double)uint.MaxValue;
        return Shortest + (Longest - Shortest) * fraction;
    }
}
