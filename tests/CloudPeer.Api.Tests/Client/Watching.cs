using System.Threading.Channels;
using Tlfs.Client;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A replica that stays connected, and what it says.</summary>
internal sealed class Watching : IAsyncDisposable
{
    // Only so that a lost wake-up fails instead of hanging; a busy machine takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Channel<SyncResult> _told = Channel.CreateUnbounded<SyncResult>();
    private readonly Task _running;

    private Watching(LocalFirst replica) => _running = replica.SyncAsync(new() { Watch = true }, new Each(_told.Writer), _stop.Token);

    /// <summary>All that <see cref="UntilAsync"/> has read.</summary>
    public List<SyncResult> Seen { get; } = [];

    public static Watching Start(LocalFirst replica) => new(replica);

    /// <summary>Reads what is told until something has happened.</summary>
    public async Task<SyncResult> UntilAsync(Predicate<SyncResult> happened)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (true)
        {
            var result = await _told.Reader.ReadAsync(patience.Token);
            Seen.Add(result);
            if (happened(result)) return result;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private sealed class Each(ChannelWriter<SyncResult> writer) : IProgress<SyncResult>
    {
        public void Report(SyncResult value) => writer.TryWrite(value);
    }
}
