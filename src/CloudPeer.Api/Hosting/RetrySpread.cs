using System.Buffers.Binary;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// When clients that all lost the server at one moment are told to come back: each at another one, so that they do not come together. Clients add jitter of their
/// own; that of the server works for those that do not.
/// </summary>
internal static class RetrySpread
{
    /// <summary>The soonest.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>The latest.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(5);

    /// <summary>A moment between the two, in whole milliseconds.</summary>
    public static TimeSpan Next(IEntropy entropy)
    {
        var draw = BinaryPrimitives.ReadUInt64LittleEndian(entropy.Bytes(sizeof(ulong)));
        return Least + TimeSpan.FromMilliseconds(draw % (ulong)((Most - Least).TotalMilliseconds + 1));
    }
}
