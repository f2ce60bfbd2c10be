namespace Tlfs.Client.Sync;

/// <summary>Another process's commit raises no event here; SQLite counts them.</summary>
internal static class OtherProcesses
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Tells who watches the home when another process has written to it. Returns when cancelled.</summary>
    public static async Task NoticeAsync(ReplicaHome home, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Poll, home.Options.Time);
        try
        {
            var known = home.Do(() => home.Database.DataVersion);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var version = home.Do(() => home.Database.DataVersion);
                if (version != known) home.NotifyEdited();
                known = version;
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }
}
