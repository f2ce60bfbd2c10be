using System.Runtime.InteropServices;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// Slow token buckets for any number of ids in a fixed amount of memory, 512 KiB: an id has two places in a table, under a hash that nobody outside can compute, and
/// is refused when both are used up. Ids that share one place do not notice it; that two share both has a chance of one in a thousand million.
/// </summary>
/// <remarks>A place holds when its bucket will be full again (the generic cell rate algorithm, ITU-T I.371), so one number is all of its state.</remarks>
/// <param name="burst">Tokens of a full bucket.</param>
/// <param name="interval">When one token comes back.</param>
/// <param name="clock">The clock.</param>
internal sealed class TokenBuckets<T>(int burst, TimeSpan interval, TimeProvider clock)
    where T : struct, IId<T>
{
    private const int PlaceBits = 15;
    private const int Places = 1 << PlaceBits;
    private readonly Lock _gate = new();
    private readonly long[] _full = new long[2 * Places];
    private readonly long _started = clock.GetTimestamp();

    /// <summary>Takes a token, or says how long it is until there is one.</summary>
    public bool TryTake(T id, out TimeSpan later)
    {
        var (first, second) = PlacesOf(id);
        lock (_gate)
        {
            var now = clock.GetElapsedTime(_started).Ticks;
            var (a, b) = (Next(first, now), Next(second, now));
            var room = now + (burst * interval.Ticks);
            later = TimeSpan.FromTicks(Math.Max(0, Math.Min(a, b) - room));
            if (later > TimeSpan.Zero) return false;
            if (a <= room) _full[first] = a;
            if (b <= room) _full[second] = b;
            return true;
        }
    }

    private long Next(int place, long now) => Math.Max(_full[place], now) + interval.Ticks;

    // The hash of texts is keyed by a secret of the process, so that nobody finds ids that share a victim's places.
    private static (int First, int Second) PlacesOf(T id)
    {
        var hash = unchecked((uint)string.GetHashCode(MemoryMarshal.Cast<byte, char>(id.Value.ToArray())));
        return ((int)(hash & (Places - 1)), Places + (int)(hash >> (32 - PlaceBits)));
    }
}
