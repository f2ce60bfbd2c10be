using System.Text;
using System.Threading.Channels;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Npgsql;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Nodes;

/// <summary>What nodes over one PostgreSQL tell each other.</summary>
public sealed class NoticeTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_notice_names_as_many_documents_as_fit_and_with_one_more_says_any()
    {
        var (mine, other) = (new PostgresNotices(), new PostgresNotices());
        var documents = Enumerable.Range(0, PostgresNotices.MaxDocuments + 1).Select(_ => new DocId(new(SystemEntropy.Instance.Bytes(Bytes32.Size)))).ToList();

        var most = mine.Write(documents[1..]);
        var tooMany = mine.Write(documents);

        Assert.InRange(Encoding.UTF8.GetByteCount(most), 7_900, 7_999);
        Assert.Equal(documents[1..].Select(DocPrefix.Of), other.Read(most)!.Documents!);
        Assert.Same(ChangedElsewhere.Any, other.Read(tooMany));
        Assert.Null(mine.Read(most));
        Assert.Null(mine.Read(tooMany));
        Assert.True(new RelayLimits().CommitEnvelopes <= PostgresNotices.MaxDocuments, "a commit of the usual size is named document by document");
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("not base64!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_notice_that_cannot_be_read_means_any_document(string payload) =>
        Assert.Same(ChangedElsewhere.Any, new PostgresNotices().Read(payload));

    [Fact]
    public async Task Each_group_commit_sends_one_notice_and_a_refused_push_none()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var store = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var world = new RelayWorld(store);
        var told = Channel.CreateUnbounded<ChangedElsewhere>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var watching = new PostgresNotices().WatchAsync(source, changed => told.Writer.TryWrite(changed), ended.Token);
        Assert.Same(ChangedElsewhere.Any, await told.Reader.ReadAsync(Cancel));
        var owner = world.Tenant();
        var documents = new List<DocumentBuilder>();
        for (var i = 0; i < 4; i++) documents.Add(await world.HostedAsync(owner));
        foreach (var document in documents) Assert.Equal([DocPrefix.Of(document.Id)], (await told.Reader.ReadAsync(Cancel)).Documents!);

        var deltas = documents.Select(document => document.NextDelta(owner)).ToList();
        await Task.WhenAll(documents.Select((document, i) => world.AcceptAsync(owner, document, deltas[i])));
        await world.RefuseAsync(world.Device(), documents[0], documents[0].NextDelta(owner));

        // However many commits there were, the notices of all of them name each document once, and there is one for each.
        var named = new List<DocPrefix>();
        var commits = await CountAsync(source, "SELECT count(*) FROM group_commit") - documents.Count;
        for (var i = 0; i < commits; i++) named.AddRange((await told.Reader.ReadAsync(Cancel)).Documents!);
        Assert.Equal(documents.Select(document => DocPrefix.Of(document.Id)).Order(ByValue), named.Order(ByValue));
        await CountAsync(source, "SELECT count(pg_notify('cloudpeer_documents', 'the end'))");
        Assert.Same(ChangedElsewhere.Any, await told.Reader.ReadAsync(Cancel));
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task A_node_reads_what_another_one_commits_and_nothing_of_its_own()
    {
        var database = await postgres.CreateDatabaseAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var first = await PostgresRelayStore.OpenAsync(source, Cancel);
        await using var second = await PostgresRelayStore.OpenAsync(source, Cancel);
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (store, proxy) = StoreProxy.Around(first, (tell, cancellationToken) => first.WatchAsync(
            changed =>
            {
                tell(changed);
                if (changed.Documents is null) listening.TrySetResult();
            },
            cancellationToken));
        await using var world = new RelayWorld(store);
        await using var other = world.Start(second);
        await listening.Task.WaitAsync(Cancel);
        var owner = world.Tenant();
        var (own, foreign) = (await world.HostedAsync(owner), await world.HostedAsync(owner));
        foreach (var document in new[] { own, foreign }) await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id);
        var (ownWaits, foreignWaits) = (WaitAsync(own), WaitAsync(foreign));

        await world.AcceptAsync(owner, own, own.NextDelta(owner));
        Assert.Null(await ownWaits);
        ownWaits = WaitAsync(own, 3);
        var before = proxy.Calls(nameof(IRelayStore.FindAsync));
        // Its notice comes after that of the own commit, on the same connection.
        Assert.True((await RelayWorld.PushAsync(other, owner, foreign.Id, foreign.NextDelta(owner))).Succeeded);

        Assert.Null(await foreignWaits);
        Assert.Equal(before + 1, proxy.Calls(nameof(IRelayStore.FindAsync)));
        Assert.False(ownWaits.IsCompleted);
        await world.AcceptAsync(owner, own, own.NextDelta(owner));
        Assert.Null(await ownWaits);
        Assert.Empty(world.Faults);

        Task<Refusal?> WaitAsync(DocumentBuilder document, ulong size = 2) => world.Relay.WaitAsync(owner.Public, document.Id, size, Cancel);
    }

    private static Comparer<DocPrefix> ByValue => Comparer<DocPrefix>.Create((left, right) => left.Value.CompareTo(right.Value));

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
#pragma warning disable CA2100 // Constants of this test.
        await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
