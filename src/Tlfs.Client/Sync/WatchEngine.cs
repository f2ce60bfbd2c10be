using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>
/// Stays connected to every server until cancelled: what others write arrives at once, and what is edited here, by this process or another on the
/// same home, is sent at once.
/// </summary>
internal sealed class WatchEngine(ReplicaHome home, Connector connector, Mailbox mailbox)
{
    /// <summary>Returns when cancelled.</summary>
    public async Task RunAsync(SyncOptions options, IProgress<SyncResult>? progress, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var changes = new ChangeSignal(home);
        home.Do(() =>
        {
            foreach (var document in home.Replica.Documents) home.GrantHosting(document);
        });
        var noticing = OtherProcesses.NoticeAsync(home, stopping.Token);
        var watches = new Dictionary<(string Url, PeerId Server), Task>();
        try
        {
            do
            {
                foreach (var target in home.Do(() => Targets.All(home, options.Only)))
                {
                    var key = (target.Url, target.Server);
                    if (!watches.TryGetValue(key, out var running) || running.IsCompleted)
                        watches[key] = new ServerWatch(home, connector, mailbox, options.Only, progress).RunAsync(key.Url, key.Server, stopping.Token);
                }
            }
            while (await changes.WaitAsync(stopping.Token));
        }
        finally
        {
            await stopping.CancelAsync();
            await Task.WhenAll([noticing, .. watches.Values]);
        }
    }
}
