using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Documents whose right to be on a server lies far from the beginning of what the server lacks: more than fits in one push.</summary>
public sealed class OwnCloudpeerTests(PostgresFixture postgres)
{
    private const int Edits = 600;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Who_was_given_control_late_keeps_the_document_on_an_own_cloudpeer_also_if_that_is_cut_off_and_if_it_lost_it(StoreKind store)
    {
        await using var first = await ClientServer.StartAsync(store, postgres);
        await using var second = await ClientServer.StartAsync(store, postgres, ("LOCAL_PLAN_BYTES", "100000"));
        await using var a = await Person.CreateAsync(first);
        await using var b = await Person.CreateAsync(first);
        var (mine, theirs) = await a.ShareAsync(b);

        // Control of a part is not what a server asks for.
        await a.Replica.GrantAsync(mine.Id, b.Replica.Card.Actor, Permission.Control, ".people", cancellationToken: Cancel);
        await EditAsync(mine);
        await mine.GrantAsync(b.Replica.Card, Permission.Control, Cancel);
        await a.SyncAsync();
        await b.SyncAsync();

        // It is full before it holds the grant.
        await b.Replica.AddCloudpeerAsync(second.HttpUrl, cancellationToken: Cancel);
        var full = (await b.Replica.SyncAsync(cancellationToken: Cancel)).Single(result => string.Equals(result.Url, second.HttpUrl, StringComparison.Ordinal));
        Assert.Null(full.Error);
        Assert.All(full.Refused, refused => Assert.Equal(Reason.QuotaExceeded, refused.Reason));
        Assert.InRange(full.Head?.Size ?? 0, 10UL, (ulong)Edits);
        Assert.Equal(0, await CountAsync(a, second, mine));

        await second.RestartAsync(("LOCAL_PLAN_BYTES", "0"));
        await b.SyncAsync();
        Assert.Equal(0, theirs.Unsent);
        Assert.Equal(theirs.EnvelopeCount, await CountAsync(a, second, mine));

        second.Clock.Advance(TimeSpan.FromSeconds(1));
        await b.DeleteOnServerAsync(second, theirs.Id);
        second.Clock.Advance(TimeSpan.FromSeconds(1));
        await b.SyncAsync();
        Assert.Equal(theirs.EnvelopeCount, await CountAsync(a, second, mine));
        Assert.Empty(theirs.Verify().Problems);
    }

    [Theory, BothStores]
    public async Task A_cloudpeer_that_is_added_again_takes_all_that_was_written_without_it(StoreKind store)
    {
        await using var server = await ClientServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        var (mine, theirs) = await a.ShareAsync(b);
        await a.Replica.RemoveCloudpeerAsync(server.HttpUrl, Cancel);
        await EditAsync(mine);
        await a.Replica.AddCloudpeerAsync(server.HttpUrl, cancellationToken: Cancel);
        await a.SyncAsync();
        Assert.Equal(0, mine.Unsent);
        await theirs.EditAsync(d => d["title"].Set("by b"), Cancel);
        await b.SyncAsync();
        Assert.Equal(mine.EnvelopeCount + 1, theirs.EnvelopeCount);
        Assert.Empty(theirs.Verify().Problems);
    }

    [Fact]
    public async Task What_shows_the_right_to_host_goes_over_a_stream_too()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var b = await Person.CreateAsync(server);
        var own = await b.ConnectAsync(server);
        await using var connection = own.Connection;
        using var keys = own.Keys;
        using var owner = SigningKey.Generate(SystemEntropy.Instance);
        var document = new DocumentBuilder(SystemEntropy.Instance, owner);
        var delta = document.NextDelta(owner);
        var control = document.NextGrant(owner, keys.Device.Public, Permission.Control);
        await using var live = await connection.StreamAsync(Cancel);

        Assert.Equal(Reason.NotFound, Assert.Single(await live.PushAsync(document.Id, [[document.Genesis]], Cancel)).Refusal?.Reason);
        Assert.Null(Assert.Single(await live.PushAsync(document.Id, [[document.Genesis]], Cancel, statements: [document.Genesis, control])).Refusal);
        Assert.All(await live.PushAsync(document.Id, [[delta], [control]], Cancel), result => Assert.Null(result.Refusal));
    }

    private static async Task EditAsync(LocalDocument document)
    {
        for (var i = 0; i < Edits; i++) await document.EditAsync(d => d["title"].Set(ClientServer.Text(i)), Cancel);
    }

    // What the server gives a device of the person; 0 if it is not served.
    private static async Task<int> CountAsync(Person person, TestServer server, LocalDocument document)
    {
        var own = await person.ConnectAsync(server);
        await using var connection = own.Connection;
        using var keys = own.Keys;
        try
        {
            var count = 0;
            await foreach (var page in connection.PullAsync(document.Id, new(0) { HeadersOnly = true }, Cancel)) count += page.Entries.Count;
            return count;
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            return 0;
        }
    }
}
