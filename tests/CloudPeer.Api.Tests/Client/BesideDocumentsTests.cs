using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Client.Storage;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>What a watch does beside its documents: it looks for mail, and at what other processes do to the home.</summary>
public sealed class BesideDocumentsTests
{
    // Only so that what waits for ever fails instead of hanging.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_inbox_is_looked_at_from_time_to_time_also_after_a_failure_which_is_told_once()
    {
        var time = new TellingTime();
        await using var person = await Person.CreateAsync();
        await person.Replica.DisposeAsync();
        using var home = ReplicaHome.Open(person.Options with { Time = time });
        var looked = Channel.CreateUnbounded<bool>();
        var fails = false;
        await using var server = await FakeCloudpeer.StartAsync();
        server.Receive = (_, _) =>
        {
            var isBroken = fails;
            looked.Writer.TryWrite(true);
            return isBroken ? throw new Grpc.Core.RpcException(new(Grpc.Core.StatusCode.Internal, "no")) : Task.CompletedTask;
        };
        await using var connection = server.Connect();
        var target = new Target("http://localhost", server.Peer, IsOwn: true, []);
        home.Do(() => home.Cloudpeers.Save(new(target.Url, server.Peer, true, null, null)));
        var told = new List<TlfsException>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = new MailWatch(home, new(home, new(home)), connection, target, null, told.Add).RunAsync(stop.Token);

        await HappenedAsync(looked);
        fails = true;
        await LookAgainAsync(TimeSpan.FromSeconds(61));
        await LookAgainAsync(TimeSpan.FromSeconds(5));
        fails = false;
        await LookAgainAsync(TimeSpan.FromSeconds(5));
        await LookAgainAsync(TimeSpan.FromSeconds(61));
        await stop.CancelAsync();
        await running;
        Assert.Equal([Reason.Internal], told.Select(each => each.Reason));

        async Task LookAgainAsync(TimeSpan pause)
        {
            await HappenedAsync(time.Waits);
            time.Advance(pause);
            await HappenedAsync(looked);
        }
    }

    [Fact]
    public async Task What_another_process_notes_of_its_talk_with_a_server_is_no_edit_and_what_it_writes_is_one()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        using var home = ReplicaHome.Open(person.Options with { Time = time });
        var edits = 0;
        var changed = Channel.CreateUnbounded<bool>();
        home.Edited += (_, _) => Interlocked.Increment(ref edits);
        home.Changed += (_, _) => changed.Writer.TryWrite(true);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var noticing = OtherProcesses.NoticeAsync(home, stop.Token);

        using (var other = SqliteReplicaStore.Open(person.Home)) other.Database.Execute("INSERT INTO setting(name, value) VALUES('noted', 'by another')");
        await TickAsync();
        Assert.Equal(0, edits);
        await document.EditAsync(d => d["title"].Set("written by another"), Cancel);
        await TickAsync();
        Assert.Equal(1, edits);
        await stop.CancelAsync();
        await noticing;

        async Task TickAsync()
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await HappenedAsync(changed);
        }
    }

    private static async Task HappenedAsync(Channel<bool> what) => await what.Reader.ReadAsync(Cancel).AsTask().WaitAsync(Patience, Cancel);

    /// <summary>Says when somebody begins to wait for it.</summary>
    private sealed class TellingTime() : FakeTimeProvider(TimeProvider.System.GetUtcNow())
    {
        public Channel<bool> Waits { get; } = Channel.CreateUnbounded<bool>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waits.Writer.TryWrite(true);
            return timer;
        }
    }
}
