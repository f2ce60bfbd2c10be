using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A server that takes back or rewrites what it has shown is found out, and not trusted with the document any more.</summary>
public sealed class LyingServerTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_comes_back_from_an_old_copy_is_a_rollback_with_evidence()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        using var copy = new TempFolder("old-copy");
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        ServerCopy.CopyFolder(server.DataFolder, copy.Path);
        await server.RestartAsync();
        await mine.EditAsync(d => d["title"].Set("acknowledged"), Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        Directory.Delete(server.DataFolder, recursive: true);
        ServerCopy.CopyFolder(copy.Path, server.DataFolder);
        await server.RestartAsync();

        await mine.EditAsync(d => d["title"].Set("kept here"), Cancel);
        Assert.Equal(Reason.ServerRollback, (await SyncOnceAsync(a)).Error?.Reason);
        await a.ReopenAsync();
        var again = await SyncOnceAsync(a);
        Assert.Equal((Reason.ServerRollback, 0, 1), (again.Error?.Reason, again.Pushed, again.Unsent));
        Assert.Equal(Reason.ServerRollback, Assert.Single(await a.Replica.StatusAsync(Cancel)).Fault?.Reason);
        var doc = await a.Replica.OpenDocumentAsync(mine.Id, Cancel);
        Assert.Contains("kept here", doc.ToJson(), StringComparison.Ordinal);
        Assert.Contains("acknowledged", Assert.Single(doc.Verify().Problems), StringComparison.Ordinal);
        await a.Replica.DisposeAsync();
        Assert.Equal(2, Evidence(a, doc.Id).Statements.Count);
    }

    [Fact]
    public async Task A_log_other_than_the_one_pulled_before_is_a_fork()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            // As if the server had shown another log before.
            var other = mine.Id.Value.ToArray();
            var pulled = Enumerable.Range(0, 2).Aggregate(CompactRange.Empty, (range, _) => range.Append(new(new(other))));
            store.Database.Execute("UPDATE progress SET pulled = $1, head = NULL", pulled.Encode());
            store.Database.Execute("UPDATE held SET receipt = NULL, size = NULL");
        }

        await a.ReopenAsync();
        Assert.Equal(Reason.ServerFork, (await SyncOnceAsync(a)).Error?.Reason);
        Assert.Equal(Reason.ServerFork, Assert.Single(await a.Replica.StatusAsync(Cancel)).Fault?.Reason);
    }

    private static async Task<Tlfs.Client.SyncResult> SyncOnceAsync(Person person) => Assert.Single(await person.Replica.SyncAsync(cancellationToken: Cancel));

    private static Evidence Evidence(Person person, Tlfs.Core.Ids.DocId document)
    {
        using var store = SqliteReplicaStore.Open(person.Home);
        return Assert.Single(new EvidenceTable(store.Database).All(document)).Record!;
    }
}
