using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Client;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Staying connected: edits arrive by themselves.</summary>
public sealed class WatchTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [BothStores]
    public async Task Edits_of_this_and_of_another_process_arrive_at_the_other_person_also_after_a_restart_of_the_server(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await using (Watching.Start(a.Replica))
        await using (var seenByB = Watching.Start(b.Replica))
        {
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
        }

        Assert.Empty(mine.Verify().Problems);
        Assert.Empty(theirs.Verify().Problems);
    }

    private static async Task UntilAsync(Watching seen, Func<bool> happened)
    {
        if (happened()) return;
        await seen.UntilAsync(result =>
        {
            Assert.True(result.Error is null or { IsTransient: true }, result.Error?.Message);
            return happened();
        });
    }
}
