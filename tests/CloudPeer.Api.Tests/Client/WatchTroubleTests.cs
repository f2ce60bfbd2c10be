using System.Net;
using System.Net.Sockets;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Microsoft.Data.Sqlite;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>What goes wrong with one document, or beside the documents, holds up nothing else of a watch, and is tried again without anybody's doing.</summary>
public sealed class WatchTroubleTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_document_that_was_deleted_there_and_pushed_again_is_followed_anew()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.SyncAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await using var watching = Watching.Start(b.Replica);
        await watching.UntilAsync(result => result.Head is not null);

        await a.DeleteOnServerAsync(server, mine.Id);
        await watching.UntilAsync(result => result.Error?.Reason == Reason.NotFound);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await SetAsync(mine, "pushed anew");
        await a.SyncAsync();
        await watching.UntilAsync(result => result.Error is null && theirs.ToJson().Contains("pushed anew", StringComparison.Ordinal));

        // Followed: nothing is asked for any more.
        await SetAsync(mine, "and goes on");
        await a.SyncAsync();
        await watching.UntilAsync(_ => theirs.ToJson().Contains("and goes on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_document_that_cannot_be_stored_now_is_sent_later_and_no_other_one_notices()
    {
        var fails = false;
        DocId troubled = default;
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        server.Store = inner => new HidingStore(inner, new HashSet<EnvelopeId>()) { Fails = document => fails && document == troubled };
        await server.RestartAsync();
        await using var a = await Person.CreateAsync(server);
        var one = await a.Replica.CreateAsync("todoapp", Cancel);
        var other = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        troubled = one.Id;
        await using var watching = Watching.Start(a.Replica);
        foreach (var document in new[] { one, other }) await watching.UntilAsync(result => result.Document == document.Id && result.Head is not null);

        fails = true;
        await SetAsync(one, "waits");
        var told = await watching.UntilAsync(result => result.Document == one.Id && result.Error is not null);
        Assert.Equal((Reason.Unavailable, 1), (told.Error!.Reason, told.Unsent));
        await SetAsync(other, "passes");
        await watching.UntilAsync(result => result.Document == other.Id && result.Head?.Size == (ulong)other.EnvelopeCount);
        fails = false;
        await watching.UntilAsync(result => result.Document == one.Id && result is { Unsent: 0, Error: null });
        Assert.DoesNotContain(watching.Seen, result => result.Document == other.Id && result.Error is not null);
    }

    [Fact]
    public async Task More_documents_than_a_stream_follows_are_synchronised_all_the_same()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres, ("MAX_SUBSCRIPTIONS", "1"));
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server, pace: 20);
        var (first, there) = await a.ShareAsync(b);
        var second = await a.Replica.CreateAsync("todoapp", Cancel);
        await SetAsync(second, "ours too");
        await second.GrantAsync(b.Replica.Card, Tlfs.Core.Policy.Permission.Write, Cancel);
        await a.Replica.InviteAsync(b.Replica.Card, second, "join me", Cancel);
        var alsoThere = await b.AcceptAsync();
        await b.SyncAsync();
        await using var watching = Watching.Start(b.Replica);
        foreach (var document in new[] { there, alsoThere }) await watching.UntilAsync(result => result.Document == document.Id && result.Head is not null);

        foreach (var (here, arrives) in new[] { (first, there), (second, alsoThere), (first, there) })
        {
            await SetAsync(here, "from a");
            await a.SyncAsync();
            await watching.UntilAsync(_ => arrives.ToJson().Contains("from a", StringComparison.Ordinal));
            await SetAsync(arrives, "from b");
            while ((await b.Replica.StatusAsync(Cancel)).Single(each => each.Document == arrives.Id).Unsent > 0)
                await watching.UntilAsync(result => result.Document == arrives.Id);
        }

        await a.SyncAsync();
        Assert.All(new[] { first, second }, document => Assert.Contains("from b", document.ToJson(), StringComparison.Ordinal));
        Assert.DoesNotContain(watching.Seen, result => result.Error is not null);
    }

    [Fact]
    public async Task An_inbox_that_cannot_be_read_holds_up_no_document_and_is_told()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        await using (var accounts = new SqliteConnection($"Data Source={Path.Combine(server.DataFolder, "accounts.db")};Pooling=False"))
        {
            // As if the account were another device's now.
            await accounts.OpenAsync(Cancel);
            await using var command = accounts.CreateCommand();
            command.CommandText = "UPDATE tenant SET device = randomblob(32)";
            await command.ExecuteNonQueryAsync(Cancel);
        }

        await server.StartAsync();
        await SetAsync(mine, "once");
        var once = Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel));
        Assert.Equal((true, Reason.NotFound), (once.Complete, once.Inbox?.Reason));

        await using var watching = Watching.Start(a.Replica);
        await watching.UntilAsync(result => result.Inbox?.Reason == Reason.NotFound);
        await SetAsync(mine, "watching");
        await watching.UntilAsync(result => result is { Unsent: 0, Error: null, Inbox: null } && result.Head?.Size == (ulong)mine.EnvelopeCount);
    }

    [Fact]
    public async Task Mail_to_a_server_that_does_not_answer_holds_up_no_document()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            using var keys = new IdentityTable(store.Database).Load().Keys;
            var message = Tlfs.Core.Sealing.SealedMessage.Seal(SystemEntropy.Instance, keys, b.Replica.Card, 1, 0, new byte[10]);
            new PeopleTable(store.Database).Enqueue(new(message.Id, default, $"http://127.0.0.1:{ClientServer.Text(((IPEndPoint)silent.LocalEndpoint).Port)}", message, 1));
        }

        await a.ReopenAsync();
        var document = await a.Replica.OpenDocumentAsync(mine.Id, Cancel);
        await using var watching = Watching.Start(a.Replica);
        using var asked = await silent.AcceptTcpClientAsync(Cancel);
        var request = new byte[4096];
        while (await asked.GetStream().ReadAsync(request, Cancel) is var read && !request.AsSpan(0, read).EndsWith("\r\n\r\n"u8)) Assert.NotEqual(0, read);
        var givenUp = asked.GetStream().ReadAsync(request, Cancel).AsTask();
        await SetAsync(document, "meanwhile");
        await watching.UntilAsync(result => result.Head?.Size == (ulong)document.EnvelopeCount);
        Assert.False(givenUp.IsCompleted);
    }

    [Fact]
    public async Task What_is_refused_again_for_the_same_reason_is_not_written_again()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres, ("LOCAL_PLAN_BYTES", "12000"));
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await SetAsync(mine, new string('x', 12_000));
        Assert.Single(Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused);
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            foreach (var way in new[] { "INSERT", "UPDATE", "DELETE" })
                store.Database.Execute($"CREATE TRIGGER no_{way} BEFORE {way} ON refused BEGIN SELECT RAISE(ABORT, 'written again'); END");
        }

        await a.ReopenAsync();
        Assert.Single(Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused);
    }

    private static Task<EditResult> SetAsync(LocalDocument document, string title) => document.EditAsync(d => d["title"].Set(title), Cancel);
}
