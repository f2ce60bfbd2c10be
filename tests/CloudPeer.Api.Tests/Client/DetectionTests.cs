using System.Globalization;
using System.Text;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>The rows of the threat model about a malicious server (docs/security/threat-model.md), each with the row's name.</summary>
public sealed class DetectionTests(PostgresFixture postgres)
{
    private const string Passphrase = "correct horse";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task S1_the_server_its_disk_its_log_and_the_wire_hold_nothing_of_what_is_written()
    {
        const string Canary = "canary-in-the-coal-mine";
        const int Edits = 20, Operations = 500;
        var port = FreePort.Next(1)[0];
        await using var tap = new WireTap(port);
        await using var server = await TestServer.StartAsync(
            StoreKind.Sqlite, postgres, ("GRPC_PORT", ClientServer.Text(port)), ("GRPC_URL", $"http://localhost:{ClientServer.Text(tap.Port)}"), ("LOG_LEVEL", "debug"));
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        for (var i = 0; i < Edits; i++)
        {
            await mine.EditAsync(
                (Transaction edit) =>
                {
                    for (var j = 0; j < Operations; j++)
                    {
                        var name = string.Create(CultureInfo.InvariantCulture, $"{Canary}-{i}-{j}");
                        edit.Set($".people[\"{name}\"].age", Json.Parse(ClientServer.Text(j)));
                    }
                },
                Cancel);
        }

        await a.SyncAsync();
        await b.SyncAsync();
        Assert.Equal(Edits * Operations, theirs.ToJson().Split(Canary).Length - 1);
        await server.StopAsync();

        var canary = Encoding.UTF8.GetBytes(Canary);
        var wire = tap.Seen();
        Assert.True(wire.Length > 1 << 19, "the wire was not tapped");
        Assert.Equal(-1, wire.AsSpan().IndexOf(canary));
        Assert.All(Directory.GetFiles(server.DataFolder, "*", SearchOption.AllDirectories), file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(canary)));
        Assert.All(server.LogLines, line => Assert.DoesNotContain(Canary, line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task S2_all_clients_name_what_a_server_left_out_in_the_middle_and_none_diverges()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await using var c = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await mine.GrantAsync(c.Replica.Card, Tlfs.Core.Policy.Permission.Write, Cancel);
        await a.Replica.InviteAsync(c.Replica.Card, mine, "join me", Cancel);
        var third = await c.AcceptAsync();
        await a.SyncAsync();
        await c.SyncAsync();
        await b.SyncAsync();
        var edits = new List<EnvelopeId>();
        for (var i = 0; i < 12; i++) edits.Add((await mine.EditAsync(d => d["title"].Set($"edit {ClientServer.Text(i)}"), Cancel)).Envelope);
        await a.SyncAsync();

        EnvelopeId[] hidden = [edits[2], edits[5], edits[9]];
        server.Store = inner => new HidingStore(inner, hidden.ToHashSet());
        await server.RestartAsync();
        foreach (var (person, document) in new[] { (b, theirs), (c, third) })
        {
            for (var again = 0; again < 2; again++)
            {
                var result = await SyncOnceAsync(person);
                Assert.Equal((Reason.PrevMissing, false), (result.Error?.Reason, result.Complete));
                Assert.Equal(hidden.Order(), result.Missing.Order());
            }

            Assert.Equal("\"edit 1\"", document.ToJson(".title"));
        }

        Assert.Equal(theirs.ToJson(), third.ToJson());
        server.Store = null;
        await server.RestartAsync();
        await b.SyncAsync();
        await c.SyncAsync();
        Assert.All(new[] { theirs, third }, document => Assert.Equal(mine.ToJson(), document.ToJson()));
    }

    [Theory]
    [BothStores]
    public async Task S3_a_server_that_comes_back_from_an_old_copy_is_refused_until_it_says_so_and_then_all_send_again_what_it_lost(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await using var offline = await Person.CreateAsync(server);
        await using var behind = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        var (there, late) = (await JoinAsync(a, mine, offline), await JoinAsync(a, mine, behind));
        await a.SyncAsync();
        await behind.SyncAsync();
        using var copy = await server.CopyAsync();

        await InsertAsync(mine, "mine");
        await InsertAsync(theirs, "theirs");
        await InsertAsync(there, "from who is away");
        var later = await a.Replica.CreateAsync("todoapp", Cancel);
        await later.EditAsync(d => d["title"].Set("made after the backup"), Cancel);
        foreach (var person in new[] { a, b, offline, a, b }) await person.SyncAsync();
        var kept = late.Head!.Size;
        var lost = mine.Head!.Size - kept;

        server.Clock.Advance(TimeSpan.FromHours(1));
        await server.RestoreAsync(copy);
        await server.StartAsync();
        foreach (var (person, document) in new[] { (a, mine), (b, theirs) })
        {
            var refused = (await person.Replica.SyncAsync(cancellationToken: Cancel)).Single(result => result.Document == document.Id);
            Assert.Equal((Reason.ServerRollback, 0, null), (refused.Error?.Reason, refused.Pushed, refused.Restored));
            Assert.True(Assert.Single(document.Verify().Evidence) is { Kind: "rollback", Proves: true });
        }

        server.Clock.Advance(TimeSpan.FromHours(1));
        await server.StopAsync();
        Assert.Equal(Reason.BadArgument, (await Assert.ThrowsAsync<TlfsException>(() => server.BeginGenerationAsync(confirmed: false))).Reason);
        await server.BeginGenerationAsync();
        await server.BeginGenerationAsync();
        await server.StartAsync();
        foreach (var (person, document) in new[] { (a, mine), (offline, there), (b, theirs) })
        {
            var result = (await person.Replica.SyncAsync(cancellationToken: Cancel)).Single(each => each.Document == document.Id);
            Assert.True(result.Complete, result.ToString());
            Assert.Equal((kept, (int)lost), (result.Restored!.Size, result.Restored.Lost));
            Assert.True(document.Verify().Evidence[^1] is { Kind: "restored", Proves: true });
            Assert.Empty(document.Verify().Problems);
            var status = (await person.Replica.StatusAsync(Cancel)).Single(each => each.Document == document.Id);
            Assert.Equal((null, result.Restored), (status.Fault, status.Restored));
            if (person != a) continue;

            // One is enough to bring back what all wrote.
            Assert.Null(Assert.Single(await behind.SyncAsync()).Restored);
            Assert.Equal(mine.ToJson(), late.ToJson());
        }

        await InsertAsync(late, "life goes on");
        foreach (var person in new[] { behind, a, b, offline, a }) Assert.All(await person.SyncAsync(), result => Assert.Null(result.Restored));
        Assert.All(new[] { theirs, there, late }, document => Assert.Equal((mine.ToJson(), mine.Head), (document.ToJson(), document.Head), HeadComparer));
        Assert.Equal(5, mine.ToJson(".tasks").Split("title").Length);
        await using var fresh = await Person.CreateAsync(server);
        Assert.Equal(later.ToJson(), (await JoinAsync(a, later, fresh)).ToJson());
    }

    [Fact]
    public async Task S3_no_generation_begins_while_a_server_runs_on_the_folder()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        Assert.Equal(Reason.Busy, (await Assert.ThrowsAsync<TlfsException>(() => server.BeginGenerationAsync())).Reason);
    }

    [Fact]
    public async Task S3_the_restore_of_a_copy_with_a_generation_is_a_rollback_until_the_next_one()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await a.SyncAsync();
        await server.StopAsync();
        await server.BeginGenerationAsync();
        await server.StartAsync();
        using var copy = await server.CopyAsync();
        await InsertAsync(mine, "acknowledged");
        await a.SyncAsync();
        await server.RestoreAsync(copy);
        await server.StartAsync();
        Assert.Equal(Reason.ServerRollback, (await SyncOnceAsync(a)).Error?.Reason);
        Assert.Equal(Reason.ServerRollback, (await SyncOnceAsync(a)).Error?.Reason);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await server.StopAsync();
        await server.BeginGenerationAsync();
        await server.StartAsync();
        Assert.Equal(1, Assert.Single(await a.SyncAsync()).Restored?.Lost);
    }

    [Fact]
    public async Task S4_one_envelope_that_crosses_between_two_views_is_an_alarm_whose_proof_anybody_checks_without_a_server()
    {
        await using var liar = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var honest = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(liar);
        await using var b = await Person.CreateAsync(liar);
        foreach (var person in new[] { a, b }) await person.Replica.AddCloudpeerAsync(honest.HttpUrl, cancellationToken: Cancel);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.SyncAsync();
        await b.SyncAsync();
        using var view = await liar.CopyAsync();

        // One view for A, another one for B.
        await honest.StopAsync();
        await InsertAsync(mine, "seen by A");
        await SyncWithAsync(a, liar.HttpUrl);
        await liar.RestoreAsync(view);
        await liar.StartAsync();
        await InsertAsync(theirs, "seen by B");
        await InsertAsync(theirs, "and one more");
        await SyncWithAsync(b, liar.HttpUrl);
        Assert.Empty(theirs.Verify().Evidence);

        // What A writes next carries the head that A saw.
        var url = liar.HttpUrl;
        await liar.StopAsync();
        await honest.StartAsync();
        await InsertAsync(mine, "crosses");
        await SyncWithAsync(a, honest.HttpUrl);
        var results = await b.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.True(results.Single(result => string.Equals(result.Url, honest.HttpUrl, StringComparison.Ordinal)).Complete);

        // It may have been restored, and say so: it is asked before it is judged.
        Assert.Empty(theirs.Verify().Evidence);
        await liar.StartAsync();
        results = await b.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.Equal(Reason.ServerFork, results.Single(result => string.Equals(result.Url, url, StringComparison.Ordinal)).Error?.Reason);
        await liar.StopAsync();
        Assert.Equal(Reason.ServerFork, (await b.Replica.StatusAsync(Cancel)).Single(each => string.Equals(each.Url, url, StringComparison.Ordinal)).Fault?.Reason);
        await SyncWithAsync(a, honest.HttpUrl);
        Assert.Equal(mine.ToJson(), theirs.ToJson());

        using var folder = new TempFolder("evidence");
        await b.Replica.ExportAsync(folder.File("file"), Passphrase, Cancel);
        await honest.StopAsync();
        await using var elsewhere = await LocalFirst.ImportAsync(b.Options with { Home = folder.File("home") }, folder.File("file"), Passphrase, Cancel);
        var evidence = Assert.Single((await elsewhere.OpenDocumentAsync(theirs.Id, Cancel)).Verify().Evidence);
        Assert.True(evidence is { Kind: "fork", Proves: true });
        Assert.True(Evidence.TryDecode(evidence.Record!.Value, out var record, out _) && record.Verify());
    }

    [Fact]
    public async Task S4_a_client_that_is_moved_to_another_view_proves_it_by_pulling_that_view()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.SyncAsync();
        await b.SyncAsync();
        using var view = await server.CopyAsync();
        await InsertAsync(mine, "seen by A");
        await a.SyncAsync();
        await server.RestoreAsync(view);
        await server.StartAsync();
        await InsertAsync(theirs, "seen by B");
        await InsertAsync(theirs, "and one more");
        await b.SyncAsync();
        Assert.Equal(Reason.ServerFork, (await SyncOnceAsync(a)).Error?.Reason);
        Assert.True(Assert.Single(mine.Verify().Evidence) is { Kind: "fork", Proves: true });
        Assert.Equal(Reason.ServerFork, (await SyncOnceAsync(a)).Error?.Reason);
        Assert.Contains("seen by A", mine.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S8_a_revoked_client_with_every_byte_that_the_server_has_opens_no_later_part()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await mine.RevokeAsync(mine.Grants.Single(each => each.Actor.Peer == b.Replica.Peer).Id, Cancel);
        var secret = new HashSet<EnvelopeId>();
        for (var i = 0; i < 20; i++) secret.Add((await mine.EditAsync(d => d["title"].Set("after the revocation"), Cancel)).Envelope);
        await a.SyncAsync();
        await b.Replica.DisposeAsync();

        using var colluding = SqliteReplicaStore.Open(b.Home);
        using var everything = SqliteReplicaStore.Open(a.Home);
        using var keys = new IdentityTable(colluding.Database).Load().Keys;
        using var document = new Document(mine.Id, keys);
        Envelope[] envelopes = [.. everything.Database.Query("SELECT bytes FROM envelope ORDER BY row", reader => Decode(reader.Blob(0)))];
        var outcomes = document.Receive(envelopes);
        Assert.All(outcomes, outcome => Assert.True(outcome.IsHeld));
        Assert.Equal(EnvelopeStatus.Applied, outcomes[Array.FindIndex(envelopes, each => each.Header.Type == EnvelopeType.Delta)].Status);
        var later = outcomes.Where((_, i) => secret.Contains(envelopes[i].Id)).ToArray();
        Assert.Equal(20, later.Length);
        Assert.All(later, outcome => Assert.Equal((EnvelopeStatus.KeyMissing, Reason.KeyMissing), (outcome.Status, outcome.Reason)));
    }

    private static Envelope Decode(byte[] bytes)
    {
        Assert.True(Envelope.TryDecode(bytes, out var envelope, out _));
        return envelope;
    }

    private static readonly IEqualityComparer<(string, LogHead?)> HeadComparer = EqualityComparer<(string Json, LogHead? Head)>.Create(
        (left, right) => string.Equals(left.Json, right.Json, StringComparison.Ordinal) && (left.Head!.Size, left.Head.Root) == (right.Head!.Size, right.Head.Root));

    private static async Task<LocalDocument> JoinAsync(Person owner, LocalDocument document, Person other)
    {
        await document.GrantAsync(other.Replica.Card, Tlfs.Core.Policy.Permission.Write, Cancel);
        await owner.Replica.InviteAsync(other.Replica.Card, document, "join me", Cancel);
        var there = await other.AcceptAsync();
        await other.SyncAsync();
        return there;
    }

    private static async Task<SyncResult> SyncOnceAsync(Person person) => Assert.Single(await person.Replica.SyncAsync(cancellationToken: Cancel));

    // The other server is stopped.
    private static async Task SyncWithAsync(Person person, string url)
    {
        var results = await person.Replica.SyncAsync(cancellationToken: Cancel);
        Assert.True(results.Single(result => string.Equals(result.Url, url, StringComparison.Ordinal)).Complete);
    }

    private static Task<EditResult> InsertAsync(LocalDocument document, string title) =>
        document.EditAsync((Transaction edit) => edit.Insert(".tasks", 0, Json.Parse($$"""{"title":"{{title}}"}""")), Cancel);
}
