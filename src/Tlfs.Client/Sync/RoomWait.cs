using Tlfs.Client.Storage;

namespace Tlfs.Client.Sync;

/// <summary>
/// When to send again what a server had no room for (docs/protocol/sync.md §6.2): soon at first, then seldom, since each attempt costs the server as much as a push
/// that it takes. An edit or a deletion here does not wait for it.
/// </summary>
internal sealed class RoomWait(ReplicaHome home)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private int _attempts;

    /// <summary>How long to wait for the next attempt; null if nothing waits for room.</summary>
    public TimeSpan? Next { get; private set; }

    /// <summary>Looks whether anything waits, and sets <see cref="Next"/>.</summary>
    public bool IsNeeded(IEnumerable<Place> places)
    {
        var isNeeded = home.Do(() => places.Any(place => home.Custody.Refused(place).Any(refused => refused.WaitsForRoom)));
        Next = isNeeded ? TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(_attempts++, 16))) : null;
        if (!isNeeded) _attempts = 0;
        return isNeeded;
    }
}
