using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace CloudPeer.Api.Tests.Server;

/// <summary>A clock that says when somebody begins to wait by it, so that a test moves it only then.</summary>
/// <param name="start">What it shows at first; as all servers of tests if null.</param>
internal sealed class SleepersClock(DateTimeOffset? start = null) : FakeTimeProvider(start ?? TestServer.Start)
{
    private readonly Channel<TimeSpan> _sleepers = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>For how long the next one waits.</summary>
    public Task<TimeSpan> SomebodySleepsAsync() => _sleepers.Reader.ReadAsync().AsTask();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _sleepers.Writer.TryWrite(dueTime);
        return timer;
    }
}
