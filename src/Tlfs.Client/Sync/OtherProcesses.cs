namespace Tlfs.Client.Sync;

/// <summary>Another process's commit raises no event here; SQLite counts them.</summary>
internal static class OtherProcesses
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    // What says that there may be something to send, or another place to send it to. What a process notes of its talk with a server does not: two that
    // watch the same home would wake one another without end.
    private const string Edits = """
        SELECT (SELECT group_concat(name || seq) FROM sqlite_sequence WHERE name IN ('document', 'envelope', 'outgoing', 'withdrawn'))
            || ' ' || (SELECT count(*) || ' ' || total(deleting) FROM document)
            || ' ' || (SELECT count(*) FROM envelope WHERE present IS NOT NULL)
            || ' ' || (SELECT coalesce(group_concat(url || every), '') FROM cloudpeer)
            || ' ' || (SELECT coalesce(group_concat(url || document), '') FROM address)
        """;

    /// <summary>Tells who watches the home when another process has written to it. Returns when cancelled.</summary>
    public static async Task NoticeAsync(ReplicaHome home, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Poll, home.Options.Time);
        try
        {
            var (known, edits) = home.Do(() => (home.Database.DataVersion, EditsOf(home)));
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var version = home.Do(() => home.Database.DataVersion);
                if (version == known) continue;
                known = version;
                var now = home.Do(() => EditsOf(home));
                if (string.Equals(now, edits, StringComparison.Ordinal)) home.NotifyChanged();
                else home.NotifyEdited();
                edits = now;
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private static string? EditsOf(ReplicaHome home) => home.Database.Single(Edits, reader => reader.IsDBNull(0) ? null : reader.GetString(0));
}
