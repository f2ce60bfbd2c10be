namespace CloudPeer.Sync.Sessions;

/// <summary>The protocol's clock: microseconds since 1970, never negative.</summary>
public static class UnixMicros
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    /// <summary>An instant as microseconds since 1970.</summary>
    public static ulong ToMicros(this DateTimeOffset instant) =>
        (ulong)Math.Max(0, (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TicksPerMicrosecond);

    /// <summary>The clock's time as microseconds since 1970.</summary>
    public static ulong Micros(this TimeProvider clock) => clock.GetUtcNow().ToMicros();

    /// <summary>The instant; what lies beyond the calendar becomes its end.</summary>
    public static DateTimeOffset ToInstant(ulong micros)
    {
        var last = DateTimeOffset.MaxValue.ToMicros();
        return micros >= last ? DateTimeOffset.MaxValue : DateTimeOffset.UnixEpoch.AddTicks((long)micros * TicksPerMicrosecond);
    }
}
