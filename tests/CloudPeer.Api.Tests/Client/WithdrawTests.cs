using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>What a server refused for good, and what a restored replica cannot continue, can be taken back and written again.</summary>
public sealed class WithdrawTests(PostgresFixture postgres)
{
    private const string Passphrase = "correct horse";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_every_server_refused_is_withdrawn_kept_through_an_export_and_written_again()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await Person.RefusedAsync(Reason.NothingToDo, () => theirs.WithdrawAsync(Cancel));
        await mine.RevokeAsync(mine.Grants.Single(each => each.Actor.Peer == b.Replica.Peer).Id, Cancel);
        await a.SyncAsync();
        var first = await theirs.EditAsync(d => d["title"].Set("too late"), Cancel);
        await theirs.EditAsync(d => d["title"].Set("much too late"), Cancel);
        await Person.RefusedAsync(Reason.NothingToDo, () => theirs.WithdrawAsync(Cancel));
        await b.Replica.SyncAsync(cancellationToken: Cancel);

        var before = theirs.ToJson(allValues: true);
        Assert.Equal(new(2, 0), await theirs.WithdrawAsync(Cancel));
        Assert.Equal((0, "\"ours\""), (theirs.Unsent, theirs.ToJson(".title")));
        await Person.RefusedAsync(Reason.NothingToDo, () => theirs.WithdrawAsync(Cancel));
        var voided = theirs.ExportVoided();
        Assert.Equal(2, voided.Count);
        Assert.Equal((first.Envelope, Reason.NotFound, true), (voided[0].Envelope, voided[0].Reason, voided[0].Withdrawn));
        Assert.Contains(new(VoidedKind.Put, ".title", "\"too late\""), voided[0].Operations!);

        using var folder = new TempFolder("export");
        await b.Replica.ExportAsync(folder.File("file"), Passphrase, Cancel);
        await using var copy = await LocalFirst.ImportAsync(b.Options with { Home = folder.File("home") }, folder.File("file"), Passphrase, Cancel);
        var moved = await copy.OpenDocumentAsync(theirs.Id, Cancel);
        Assert.Equal(2, await moved.ReapplyAsync(Cancel));
        Assert.Equal(before, moved.ToJson(allValues: true));
        Assert.Empty(moved.ExportVoided());
        await Person.RefusedAsync(Reason.NothingToDo, () => moved.ReapplyAsync(Cancel));
        Assert.Empty(moved.Verify().Problems);
    }

    [Fact]
    public async Task What_was_refused_for_a_full_quota_stays()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres, ("LOCAL_PLAN_BYTES", "6000"));
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await mine.EditAsync(d => d["title"].Set(new string('x', 5_000)), Cancel);
        Assert.Equal(Reason.QuotaExceeded, Assert.Single(Assert.Single(await a.Replica.SyncAsync(cancellationToken: Cancel)).Refused).Reason);
        await Person.RefusedAsync(Reason.NothingToDo, () => mine.WithdrawAsync(Cancel));
        Assert.Equal(1, mine.Unsent);
    }

    [Fact]
    public async Task A_restored_replica_withdraws_fetches_what_it_had_written_and_writes_again()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        using var folder = new TempFolder("export");
        await a.Replica.ExportAsync(folder.File("file"), Passphrase, Cancel);
        await InsertAsync(mine, "after the export");
        await InsertAsync(mine, "and later");
        await a.SyncAsync();

        await using var restored = await LocalFirst.ImportAsync(a.Options with { Home = folder.File("home") }, folder.File("file"), Passphrase, Cancel);
        var same = await restored.OpenDocumentAsync(mine.Id, Cancel);
        await InsertAsync(same, "after the restore");
        var result = Assert.Single(await restored.SyncAsync(cancellationToken: Cancel));
        Assert.Equal(Reason.Equivocation, result.Error?.Reason);
        Assert.Equal(Reason.Equivocation, Assert.Single(result.Refused).Reason);
        Assert.Equal(new(1, 0), await same.WithdrawAsync(Cancel));
        await Person.RefusedAsync(Reason.PrevMissing, () => same.ReapplyAsync(Cancel));
        Assert.True(Assert.Single(await restored.SyncAsync(cancellationToken: Cancel)).Complete);
        Assert.Equal(1, await same.ReapplyAsync(Cancel));
        Assert.True(Assert.Single(await restored.SyncAsync(cancellationToken: Cancel)).Complete);
        var json = same.ToJson(".tasks");
        Assert.All(["after the export", "and later", "after the restore"], title => Assert.Contains(title, json, StringComparison.Ordinal));
        Assert.All(same.Log, entry => Assert.Equal(EnvelopeStatus.Applied, entry.Status));
        Assert.Empty(same.Verify().Problems);
    }

    [Fact]
    public async Task A_second_process_on_the_same_home_writes_on_after_the_withdrawal()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await mine.RevokeAsync(mine.Grants.Single(each => each.Actor.Peer == b.Replica.Peer).Id, Cancel);
        await a.SyncAsync();
        await theirs.EditAsync(d => d["title"].Set("too late"), Cancel);
        await using var second = await LocalFirst.OpenAsync(b.Options, Cancel);
        var same = await second.OpenDocumentAsync(theirs.Id, Cancel);
        Assert.Equal("\"too late\"", same.ToJson(".title"));
        await b.Replica.SyncAsync(cancellationToken: Cancel);
        await theirs.WithdrawAsync(Cancel);
        await InsertAsync(same, "written on");
        Assert.Equal(1, await same.ReapplyAsync(Cancel));
        Assert.Equal(("\"too late\"", same.ToJson()), (theirs.ToJson(".title"), theirs.ToJson()));
        Assert.Empty(theirs.Verify().Problems);
    }

    private static Task<EditResult> InsertAsync(LocalDocument document, string title) =>
        document.EditAsync((Transaction edit) => edit.Insert(".tasks", 0, Json.Parse($$"""{"title":"{{title}}"}""")), Cancel);
}
