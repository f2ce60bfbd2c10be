namespace CloudPeer.Api.Hosting;

/// <summary>
/// Token buckets for any number of keys in a fixed amount of memory, 512 KiB: a key has two places in a table, under a hash that nobody outside can compute, and
/// is refused when both are used up. Keys that share one place do not notice it; that two share both has a chance of one in a thousand million.
/// </summary>
/// <remarks>A place holds when its bucket will be full again (the generic cell rate algorithm, ITU-T I.371), so one number is all of its state.</remarks>
/// <param name="burst">Tokens of a full bucket.</param>
/// <param name="interval">When one token comes back.</param>
/// <param name="clock">The clock.</param>
internal sealed class TokenBuckets(int burst, TimeSpan interval, TimeProvider clock)
{
    private const int PlaceBits = 15;
    private const int Places = 1 << PlaceBits;
    private readonly Lock _gate = new();
    private readonly long[] _full = new long[2 * Places];
    private readonly long _started = clock.GetTimestamp();

    /// <summary>Takes tokens, all or none.</summary>
    /// <param name="key">Who takes them.</param>
    /// <param name="tokens">At most the burst.</param>
    /// <param name="later">When refused, how long it is until there are as many.</param>
    public bool TryTake(ReadOnlySpan<byte> key, int tokens, out TimeSpan later)
    {
        var (first, second) = PlacesOf(key);
        lock (_gate)
        {
            var now = Now;
            var room = now + (burst * interval.Ticks);
            var (a, b) = (Next(first, now, tokens), Next(second, now, tokens));
            later = TimeSpan.FromTicks(Math.Max(0, Math.Min(a, b) - room));
            if (later > TimeSpan.Zero) return false;
            if (a <= room) _full[first] = a;
            if (b <= room) _full[second] = b;
            return true;
        }
    }

    /// <summary>Takes tokens, or as many as there are.</summary>
    public void Spend(ReadOnlySpan<byte> key, int tokens)
    {
        var (first, second) = PlacesOf(key);
        lock (_gate)
        {
            var now = Now;
            var room = now + (burst * interval.Ticks);
            foreach (var place in (ReadOnlySpan<int>)[first, second]) _full[place] = Math.Min(room, Next(place, now, tokens));
        }
    }

    /// <summary>Takes tokens from a bucket that is not used up; what it lacks it owes.</summary>
    /// <param name="key">Who takes them.</param>
    /// <param name="tokens">At most the burst.</param>
    public bool TryOwe(ReadOnlySpan<byte> key, int tokens)
    {
        var (first, second) = PlacesOf(key);
        lock (_gate)
        {
            var now = Now;
            var room = now + (burst * interval.Ticks);
            var isLeft = false;
            foreach (var place in (ReadOnlySpan<int>)[first, second])
            {
                if (Next(place, now, 1) > room) continue;
                _full[place] = Next(place, now, tokens);
                isLeft = true;
            }

            return isLeft;
        }
    }

    private long Now => clock.GetElapsedTime(_started).Ticks;

    private long Next(int place, long now, int tokens) => Math.Max(_full[place], now) + (tokens * interval.Ticks);

    // The hash is seeded with a secret of the process, so that nobody finds keys that share a victim's places.
    private static (int First, int Second) PlacesOf(ReadOnlySpan<byte> key)
    {
        var code = default(HashCode);
        code.AddBytes(key);
        var hash = unchecked((uint)code.ToHashCode());
        return ((int)(hash & (Places - 1)), Places + (int)(hash >> (32 - PlaceBits)));
    }
}
