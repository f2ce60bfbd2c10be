using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
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
    public async Task A_receipt_for_a_place_at_which_the_log_has_another_envelope_is_told_by_verify()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        var displaced = (await mine.EditAsync(d => d["title"].Set("received"), Cancel)).Envelope;
        await a.SyncAsync();
        Assert.Empty(mine.Verify().Problems);
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            // As if the server had given the receipt, and another envelope in the log.
            store.Database.Execute(
                "UPDATE log_entry SET id = (SELECT id FROM envelope ORDER BY row LIMIT 1) WHERE document = (SELECT number FROM document WHERE id = $1) AND id = $2",
                mine.Id.Value.ToArray(), displaced.Value.ToArray());
        }

        await a.ReopenAsync();
        var problem = Assert.Single((await a.Replica.OpenDocumentAsync(mine.Id, Cancel)).Verify().Problems);
        Assert.StartsWith($"{displaced}: {server.HttpUrl} gave a receipt for it", problem, StringComparison.Ordinal);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_whose_signature_the_server_altered_is_told_and_never_passed_over(bool cause)
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        var altered = (await mine.EditAsync(d => d["title"].Set("altered"), Cancel)).Envelope;
        var after = (await mine.EditAsync(d => d["title"].Set("after it"), Cancel)).Envelope;
        await a.SyncAsync();

        // The id does not cover the signature, so root and head agree.
        server.Store = inner => new HidingStore(inner, new HashSet<EnvelopeId>(), (_, entry) => entry.Id == (cause ? altered : after) ? WithOtherSignature(entry) : entry);
        await server.RestartAsync();
        for (var again = 0; again < 2; again++)
        {
            var result = await SyncOnceAsync(b);
            Assert.Equal((Reason.BadSignature, false), (result.Error?.Reason, result.Complete));
            Assert.DoesNotContain("after it", theirs.ToJson(".title"), StringComparison.Ordinal);
        }

        server.Store = null;
        await server.RestartAsync();
        await b.SyncAsync();
        Assert.Equal("\"after it\"", theirs.ToJson(".title"));
        Assert.Empty(theirs.Verify().Problems);
    }

    [Fact]
    public async Task A_document_with_as_many_restores_as_are_kept_is_still_synchronised()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        await server.BeginGenerationAsync();
        await server.StartAsync();
        server.Clock.Advance(TimeSpan.FromHours(1));
        await a.SyncAsync();
        await a.Replica.DisposeAsync();
        using (var store = SqliteReplicaStore.Open(a.Home))
        {
            var number = 0;
            while (store.Database.Single("SELECT count(*) FROM generation", reader => reader.GetInt32(0)) < CloudPeer.Sync.Log.Evidence.MaxGenerations)
                store.Database.Execute("INSERT INTO generation(document, server, number, bytes, lost) SELECT document, server, $1, bytes, 0 FROM generation ORDER BY number DESC LIMIT 1", ++number);
        }

        await a.ReopenAsync();
        var document = await a.Replica.OpenDocumentAsync(mine.Id, Cancel);
        await document.EditAsync(d => d["title"].Set("goes on"), Cancel);
        await a.SyncAsync();
    }

    // Behind the header, which the id is of.
    private static LogEntry WithOtherSignature(LogEntry entry)
    {
        Assert.True(Envelope.TryDecode(entry.Bytes, out var envelope, out _));
        var bytes = entry.Bytes.ToArray();
        bytes[EnvelopeHeader.TryDecodeFirst(entry.Bytes, out _, out var length, out _) ? length : 0] ^= 1;
        Assert.True(Envelope.TryDecode(bytes, out var other, out _));
        Assert.Equal((envelope.Id, false), (other.Id, other.VerifySignature()));
        return entry with { Bytes = bytes };
    }

    private static async Task<Tlfs.Client.SyncResult> SyncOnceAsync(Person person) => Assert.Single(await person.Replica.SyncAsync(cancellationToken: Cancel));

    private static Evidence Evidence(Person person, DocId document)
    {
        using var store = SqliteReplicaStore.Open(person.Home);
        return Assert.Single(new EvidenceTable(store.Database).All(document)).Record!;
    }
}
