using System.Threading.Channels;
using CloudPeer.Sync.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>
/// Beside the documents of one server: fetches this account's inbox there, from time to time, and sends what is queued to anybody. It may take its time, and
/// what fails is tried again.
/// </summary>
/// <param name="home">The replica.</param>
/// <param name="mailbox">Its mail.</param>
/// <param name="connection">The server.</param>
/// <param name="target">The same.</param>
/// <param name="only">The documents that are watched; null for all.</param>
/// <param name="report">Is told why the inbox cannot be read, once for each reason.</param>
/// <param name="fetched">Is told each time that it was read.</param>
internal sealed class MailWatch(
    ReplicaHome home, Mailbox mailbox, CloudpeerConnection connection, Target target, IReadOnlyCollection<DocId>? only, Action<TlfsException> report, Action? fetched = null)
{
    private static readonly TimeSpan FetchEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly RetryTimer _fetching = NewTimer(home);
    private readonly RetryTimer _sending = NewTimer(home);
    private volatile bool _wantsRoom;
    private Reason? _told;

    /// <summary>Something was edited or sent: what waited for it may go.</summary>
    /// <param name="wantsRoom">Something found no room: how much there is, is of interest.</param>
    public void Wake(bool wantsRoom)
    {
        _wantsRoom |= wantsRoom;
        _wakes.Writer.TryWrite(true);
    }

    /// <summary>Returns when cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            do
            {
                if (target.IsOwn) await FetchAsync(cancellationToken);
                await SendAsync(cancellationToken);
            }
            while (await WaitAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        // Whoever has lost a document may be told there where it is now.
        var isDue = _fetching.IsDue(edited: false);
        var isEarly = !isDue && _fetching.IsDue(home.Do(() => Targets.AnyIsLost(home, only)));
        var wantsRoom = _wantsRoom;
        _wantsRoom = false;
        try
        {
            if (isDue || isEarly) await mailbox.ExchangeAsync(connection, target, cancellationToken);
            else if (wantsRoom) await mailbox.RoomAsync(connection, target.Url, cancellationToken);
            if (!isDue) return;
            _fetching.Reset();
            _fetching.Later(FetchEvery);
            _told = null;
            fetched?.Invoke();
        }
        catch (TlfsException e)
        {
            _fetching.Later(e.RetryAfter);

            // A server that is gone says so by the documents.
            if (e.Reason != Reason.Unreachable && _told != e.Reason) report(e);
            _told = e.Reason;
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        if (!_sending.IsDue(edited: true)) return;
        if (await mailbox.SendAsync(cancellationToken) is { } problem) _sending.Later(problem.RetryAfter);
        else _sending.Reset();
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var left = new[] { target.IsOwn ? _fetching.Left : null, _sending.Left }.Min();
        using var late = left is { } limit ? new CancellationTokenSource(limit, home.Options.Time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await _wakes.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    private static RetryTimer NewTimer(ReplicaHome home) => new(new(home.Options.Entropy, home.Options.Time, First, Longest), home.Options.Time);
}
