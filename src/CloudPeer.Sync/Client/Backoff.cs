using System.Buffers.Binary;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Sync.Client;

/// <summary>
/// How long to wait before trying again: exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015), so that clients
/// which lost one server do not return together. A server that says when to come back is believed.
/// </summary>
/// <param name="entropy">Makes the jitter.</param>
/// <param name="time">The clock to wait by.</param>
/// <param name="first">The longest wait before the first retry; null for <see cref="First"/>.</param>
/// <param name="longest">The longest wait that is drawn; null for <see cref="Longest"/>.</param>
/// <param name="longestHint">The longest wait that a server may ask for; null for <see cref="LongestHint"/>.</param>
public sealed class Backoff(IEntropy entropy, TimeProvider time, TimeSpan? first = null, TimeSpan? longest = null, TimeSpan? longestHint = null)
{
    /// <summary>The longest wait before the first retry.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait that is drawn.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait that a server may ask for.</summary>
    public static readonly TimeSpan LongestHint = TimeSpan.FromMinutes(5);

    private int _failures;

    /// <summary>Starts again from the shortest wait: something worked.</summary>
    public void Reset() => _failures = 0;

    /// <summary>The next wait, between the server's hint and that plus the jitter.</summary>
    /// <param name="hint">When the server said to come back; null if it said nothing.</param>
    public TimeSpan Next(TimeSpan? hint = null)
    {
        var ceiling = Math.Min((longest ?? Longest).Ticks, (first ?? First).Ticks << Math.Min(_failures++, 16));
        var fraction = BinaryPrimitives.ReadUInt64LittleEndian(entropy.Bytes(sizeof(ulong))) / (double)ulong.MaxValue;
        var least = TimeSpan.FromTicks(Math.Clamp(hint?.Ticks ?? 0, 0, (longestHint ?? LongestHint).Ticks));
        return least + TimeSpan.FromTicks((long)(ceiling * fraction));
    }

    /// <summary>Waits before the next attempt.</summary>
    public Task WaitAsync(TlfsException failure, CancellationToken cancellationToken) => Task.Delay(Next(failure.RetryAfter), time, cancellationToken);
}
