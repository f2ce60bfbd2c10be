using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A person with a replica in a folder of its own, and the tour's schema.</summary>
internal sealed class Person : IAsyncDisposable
{
    public const string Schema = """
        todoapp {
          0.1.0 { .: Struct  .title: MVReg<String>  .tasks: Array  .tasks.[]: Struct  .tasks.[].title: MVReg<String>  .tasks.[].complete: EWFlag
                  .people: Table<String>  .people.{}: Struct  .people.{}.age: MVReg<u64> }
        }
        """;

    private readonly TempFolder _folder;

    private Person(TempFolder folder, LocalFirstOptions options, LocalFirst replica)
    {
        _folder = folder;
        Options = options;
        Replica = replica;
    }

    public LocalFirstOptions Options { get; }

    public LocalFirst Replica { get; private set; }

    public string Home => Options.Home;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="server">Whose clock it has.</param>
    /// <param name="added">Whether it rents that server.</param>
    /// <param name="pace">How many times faster than real its timers run.</param>
    public static async Task<Person> CreateAsync(TestServer? server = null, bool added = true, int pace = 1)
    {
        var folder = new TempFolder("person");
        var options = new LocalFirstOptions { Home = folder.File("home"), Time = server is null ? TimeProvider.System : new DateOf(server.Clock, pace) };
        var made = await LocalFirst.InitialiseAsync(options, "somebody", Cancel);
        await made.Replica.AddSchemasAsync(TlfsPackage.Compile(Schema), null, Cancel);
        if (server is not null && added) await made.Replica.AddCloudpeerAsync(server.HttpUrl, cancellationToken: Cancel);
        return new(folder, options, made.Replica);
    }

    /// <summary>Closes the replica and opens it again, as a new process would.</summary>
    public async Task ReopenAsync()
    {
        await Replica.DisposeAsync();
        Replica = await LocalFirst.OpenAsync(Options, Cancel);
    }

    /// <summary>Synchronises once; every pair of document and server must have come to the same, whatever becomes of servers without one.</summary>
    public async Task<IReadOnlyList<SyncResult>> SyncAsync()
    {
        var results = (await Replica.SyncAsync(cancellationToken: Cancel)).Where(result => !result.IsOfServer).ToArray();
        Assert.All(results, result => Assert.True(result.Complete, result.ToString()));
        return results;
    }

    /// <summary>A connection of the person's device beside the replica's own; both are the caller's.</summary>
    public async Task<(CloudpeerConnection Connection, AccountKeys Keys)> ConnectAsync(TestServer server)
    {
        using var opened = SqliteReplicaStore.Open(Home);
        var keys = new IdentityTable(opened.Database).Load().Keys;
        var connection = new CloudpeerConnection(server.GrpcUrl, server.Peer, keys.Device, SystemEntropy.Instance, server.Clock);
        await connection.OpenAsync(Cancel);
        return (connection, keys);
    }

    /// <summary>Deletes a document at the server, without a word to the replica.</summary>
    public async Task DeleteOnServerAsync(TestServer server, DocId document)
    {
        var own = await ConnectAsync(server);
        await using var connection = own.Connection;
        using var keys = own.Keys;
        Assert.NotEqual(0UL, await connection.DeleteDocumentAsync(document, Cancel));
    }

    /// <summary>Accepts the one invitation that waits.</summary>
    public async Task<LocalDocument> AcceptAsync()
    {
        var invitation = Assert.Single(await Replica.InvitationsAsync(Cancel));
        return await Replica.AcceptAsync(invitation.Id, Cancel);
    }

    /// <summary>A document that the other person may write, on both devices and the server.</summary>
    public async Task<(LocalDocument Here, LocalDocument There)> ShareAsync(Person other)
    {
        var here = await Replica.CreateAsync("todoapp", Cancel);
        await here.EditAsync((Transaction edit) => edit.Set(".title", Json.Parse("\"ours\"")), Cancel);
        await here.GrantAsync(other.Replica.Card, Tlfs.Core.Policy.Permission.Write, Cancel);
        await Replica.InviteAsync(other.Replica.Card, here, "join me", Cancel);
        var there = await other.AcceptAsync();
        await other.SyncAsync();
        return (here, there);
    }

    public async ValueTask DisposeAsync()
    {
        await Replica.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>What a call refuses with.</summary>
    public static async Task<TlfsException> RefusedAsync(Reason reason, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<TlfsException>(call);
        Assert.Equal(reason, refused.Reason);
        return refused;
    }

    // The server's date, so that signed requests are not too old; real timers, so that nothing waits for the test to move them.
    private sealed class DateOf(TimeProvider clock, int pace) : TimeProvider
    {
        public override long TimestampFrequency => base.TimestampFrequency / pace;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(base.CreateTimer(callback, state, Scaled(dueTime), Scaled(period)), this);

        private TimeSpan Scaled(TimeSpan time) => time < TimeSpan.Zero ? time : time / pace;

        private sealed class Timer(ITimer inner, DateOf time) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(time.Scaled(dueTime), time.Scaled(period));

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
