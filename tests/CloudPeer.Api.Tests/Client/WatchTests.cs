using System.Threading.Channels;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Client;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Staying connected: edits arrive by themselves.</summary>
public sealed class WatchTests(PostgresFixture postgres)
{
    // Only so that a lost wake-up fails instead of hanging; a busy machine takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [BothStores]
    public async Task Edits_of_this_and_of_another_process_arrive_at_the_other_person_also_after_a_restart_of_the_server(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var (watchingA, _) = Watch(a.Replica, stop.Token);
        var (watchingB, seenByB) = Watch(b.Replica, stop.Token);

        await mine.EditAsync(d => d["title"].Set("from this process"), Cancel);
        await UntilAsync(seenByB, () => theirs.ToJson().Contains("from this process", StringComparison.Ordinal));

        await using (var another = await LocalFirst.OpenAsync(a.Options, Cancel))
        {
            var same = await another.OpenDocumentAsync(mine.Id, Cancel);
            await same.EditAsync(d => d["title"].Set("from another process"), Cancel);
        }

        await UntilAsync(seenByB, () => theirs.ToJson().Contains("from another process", StringComparison.Ordinal));
        await server.RestartAsync();
        await mine.EditAsync(d => d["title"].Set("after the restart"), Cancel);
        await UntilAsync(seenByB, () => theirs.ToJson().Contains("after the restart", StringComparison.Ordinal));

        var late = await a.Replica.CreateAsync("todoapp", Cancel);
        await late.GrantAsync(b.Replica.Card, Tlfs.Core.Policy.Permission.Read, Cancel);
        await a.Replica.InviteAsync(b.Replica.Card, late, cancellationToken: Cancel);
        var joined = await b.AcceptAsync();
        await UntilAsync(seenByB, () => joined.Schema is not null);
        await stop.CancelAsync();
        await Task.WhenAll(watchingA, watchingB);
        Assert.Empty(mine.Verify().Problems);
        Assert.Empty(theirs.Verify().Problems);
    }

    private static (Task Watching, ChannelReader<SyncResult> Seen) Watch(LocalFirst replica, CancellationToken cancellationToken)
    {
        var seen = Channel.CreateUnbounded<SyncResult>();
        return (replica.SyncAsync(new() { Watch = true }, new Each(seen.Writer), cancellationToken), seen.Reader);
    }

    private static async Task UntilAsync(ChannelReader<SyncResult> seen, Func<bool> happened)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience);
        while (!happened())
        {
            var result = await seen.ReadAsync(patience.Token);
            Assert.True(result.Error is null or { IsTransient: true }, result.Error?.Message);
        }
    }

    private sealed class Each(ChannelWriter<SyncResult> writer) : IProgress<SyncResult>
    {
        public void Report(SyncResult value) => writer.TryWrite(value);
    }
}
