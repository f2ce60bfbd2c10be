using CloudPeer.Api.Inbox;
using CloudPeer.Api.Tests.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>People who share a document are contacts, until one shuts the other out (docs/protocol/sync.md §4).</summary>
public sealed class ContactTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task S18_Who_was_invited_reaches_the_inviter_through_a_flood_and_the_other_way_round(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await a.ShareAsync(b);
        await a.SyncAsync();
        await FloodAsync(server, a.Replica.Account);
        await FloodAsync(server, b.Replica.Account);

        var fromInvited = await InviteAsync(b, a);
        var fromInviter = await InviteAsync(a, b);

        Assert.Empty(await a.Replica.QueuedInvitationsAsync(Cancel));
        Assert.Empty(await b.Replica.QueuedInvitationsAsync(Cancel));
        Assert.Equal(fromInvited, Assert.Single(await a.Replica.InvitationsAsync(Cancel)).Id);
        Assert.Equal(fromInviter, Assert.Single(await b.Replica.InvitationsAsync(Cancel)).Id);
    }

    [Theory, BothStores]
    public async Task Who_is_shut_out_is_a_stranger_and_unheard_and_the_others_stay_contacts(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await using var c = await Person.CreateAsync(server);
        await a.ShareAsync(b);
        await a.ShareAsync(c);
        await a.SyncAsync();
        await InviteAsync(b, a);
        Assert.Single(await a.Replica.InvitationsAsync(Cancel));

        await a.Replica.BlockAsync(b.Replica.Account, Cancel);
        Assert.Empty(await a.Replica.InvitationsAsync(Cancel));
        await InviteAsync(b, a);
        Assert.Empty(await a.Replica.InvitationsAsync(Cancel));
        await c.SyncAsync();
        await FloodAsync(server, a.Replica.Account);
        var refused = await InviteAsync(b, a);
        var heard = await InviteAsync(c, a);

        Assert.Equal([refused], await b.Replica.QueuedInvitationsAsync(Cancel));
        Assert.Equal(heard, Assert.Single(await a.Replica.InvitationsAsync(Cancel)).Id);
    }

    [Fact]
    public async Task To_invite_somebody_who_was_shut_out_lets_them_in_again()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await a.ShareAsync(b);
        await a.SyncAsync();
        await a.Replica.BlockAsync(b.Replica.Account, Cancel);

        await InviteAsync(a, b);
        await b.AcceptAsync();
        await FloodAsync(server, a.Replica.Account);
        var heard = await InviteAsync(b, a);

        Assert.Equal(heard, Assert.Single(await a.Replica.InvitationsAsync(Cancel)).Id);
    }

    [Fact]
    public async Task A_cloudpeer_that_was_away_is_told_the_new_token_by_the_next_sync()
    {
        await using var server = await ClientServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await a.ShareAsync(b);
        await a.SyncAsync();
        await server.StopAsync();
        await a.Replica.RotateDeliveryTokenAsync(Cancel);
        await server.StartAsync();

        await a.SyncAsync();
        await b.SyncAsync();
        await FloodAsync(server, a.Replica.Account);
        await InviteAsync(b, a);

        Assert.Single(await a.Replica.InvitationsAsync(Cancel));
    }

    [Fact]
    public async Task Nobody_is_shut_out_who_was_never_heard_of()
    {
        await using var person = await Person.CreateAsync();

        await Person.RefusedAsync(Reason.CardUnknown, () => person.Replica.BlockAsync(new AccountId(person.Replica.Peer.Value), Cancel));
    }

    [Fact]
    public async Task A_replica_from_before_there_were_contacts_opens_and_has_them()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        await using var a = await Person.CreateAsync(server);
        await using var b = await Person.CreateAsync(server);
        await a.Replica.DisposeAsync();
        await ForgetContactsAsync(a.Home);

        await a.ReopenAsync();
        await a.ShareAsync(b);
        await a.SyncAsync();
        await FloodAsync(server, a.Replica.Account);
        await InviteAsync(b, a);

        Assert.Single(await a.Replica.InvitationsAsync(Cancel));
    }

    private static async Task<MessageId> InviteAsync(Person from, Person to)
    {
        var document = await from.Replica.CreateAsync("todoapp", Cancel);
        await document.EditAsync((Transaction edit) => edit.Set(".title", Json.Parse("\"another\"")), Cancel);
        await document.GrantAsync(to.Replica.Card, Permission.Read, Cancel);
        return await from.Replica.InviteAsync(to.Replica.Card, document, cancellationToken: Cancel);
    }

    // Strangers take all the room there is for them.
    private static async Task FloodAsync(TestServer server, AccountId account)
    {
        var refused = false;
        for (var i = 0; !refused; i++)
        {
            using var stranger = await TestDevice.ConnectAsync(server);
            var message = ByteString.CopyFrom(InboxClient.Message(account, i));
            try
            {
                await stranger.Inbox.SendAsync(new() { Message = message }, stranger.Options);
            }
            catch (Grpc.Core.RpcException full)
            {
                Assert.Equal(Reason.InboxFull, Refusals.FromRpc(full).Reason);
                refused = true;
            }

            Assert.True(i <= InboxLimits.Strangers);
        }
    }

    // The file as it was before: without the columns that came with contacts.
    private static async Task ForgetContactsAsync(string home)
    {
        await using var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(home, "replica.db"), Pooling = false }.ToString());
        await database.OpenAsync(Cancel);
        await using var command = database.CreateCommand();
        command.CommandText = """
            ALTER TABLE identity DROP COLUMN delivery_token; ALTER TABLE cloudpeer DROP COLUMN token_hash; ALTER TABLE card DROP COLUMN token;
            ALTER TABLE card DROP COLUMN token_micros; ALTER TABLE card DROP COLUMN blocked; ALTER TABLE outgoing DROP COLUMN type;
            """;
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
