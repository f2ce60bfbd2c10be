using CloudPeer.Api.Tests.Access;
using CloudPeer.Api.Tests.Inbox;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Npgsql;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>The server itself ends a call at its deadline, whatever it waits for. The client here has none, so that the answer is the server's.</summary>
public sealed class DeadlineTests(PostgresFixture postgres)
{
    // Half a second, in the words of gRPC over HTTP/2.
    private static readonly (string, string) Deadline = ("grpc-timeout", "500m");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_call_ends_at_its_deadline_while_the_database_hangs()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Postgres, postgres);
        using var alice = await TestDevice.ConnectAsync(server);
        using var raw = new RawCall(server, alice);
        await using var database = NpgsqlDataSource.Create(server.DatabaseConnection);
        await using var connection = await database.OpenConnectionAsync(Cancel);
        await using var hold = await connection.BeginTransactionAsync(Cancel);
        await LockAllAsync(connection);

        var answers = await Task.WhenAll(Requests(server, alice).Select(async call => (call.Name, Answer: await AnswerAsync(raw, call.Name, call.Request))));

        Assert.All(answers, answer => Assert.Equal((answer.Name, Reason.Timeout), (answer.Name, answer.Answer)));
        await hold.RollbackAsync(Cancel);
        Assert.Equal(Reason.NotFound, await AnswerAsync(raw, "Account.GetEntitlement", new V1.GetEntitlementRequest()));
    }

    private static Task<Reason?> AnswerAsync(RawCall raw, string call, IMessage request) =>
        raw.ReasonAsync($"/cloudpeer.v1.{call.Replace('.', '/')}", RawCall.Frame(request.ToByteArray()), Deadline);

    private static async Task LockAllAsync(NpgsqlConnection connection)
    {
        var tables = new List<string>();
        await using (var names = new NpgsqlCommand("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'", connection))
        await using (var reader = await names.ExecuteReaderAsync(Cancel))
            while (await reader.ReadAsync(Cancel)) tables.Add(reader.GetString(0));
        Assert.NotEmpty(tables);
#pragma warning disable CA2100 // The names are the database's own, quoted by it.
        await using var all = new NpgsqlCommand($"LOCK TABLE {string.Join(", ", tables)} IN ACCESS EXCLUSIVE MODE", connection);
#pragma warning restore CA2100
        await all.ExecuteNonQueryAsync(Cancel);
    }

    // Every call that asks the database; the others have nothing to wait for.
    private static IEnumerable<(string Name, IMessage Request)> Requests(TestServer server, TestDevice alice)
    {
        var document = new DocumentBuilder(SystemEntropy.Instance, alice.Key);
        var (id, push) = (document.Id.ToWire(), Relay.SyncTests.Request(document.Id, [document.Genesis]));
        yield return ("Account.Create", new V1.CreateAccountRequest { Card = alice.Card.Bytes.ToWire() });
        yield return ("Account.GetEntitlement", new V1.GetEntitlementRequest());
        yield return ("Account.GetUsage", new V1.GetUsageRequest());
        yield return ("Account.SetAppBudget", new V1.SetAppBudgetRequest { AppId = "app" });
        yield return ("Keys.GetCard", new V1.GetCardRequest { Account = alice.Card.Account.ToWire() });
        yield return ("Inbox.Send", new V1.SendRequest { Message = ByteString.CopyFrom(InboxClient.Message(alice.Card.Account, 1)) });
        yield return ("Inbox.Receive", new V1.ReceiveRequest());
        yield return ("Inbox.Ack", InboxCalls.Ack(alice.Key, server.Peer, [new MessageId(alice.Peer.Value)], alice.Now));
        yield return ("Inbox.SetDeliveryToken", InboxCalls.SetDeliveryToken(alice.Key, server.Peer, DeliveryToken.Generate(SystemEntropy.Instance), alice.Now));
        yield return ("Sync.Stream", new V1.ClientFrame { Push = push });
        yield return ("Sync.Push", push);
        yield return ("Sync.Pull", new V1.PullRequest { Document = id });
        yield return ("Sync.GetHead", new V1.GetHeadRequest { Document = id });
        yield return ("Sync.Reconcile", new V1.ReconcileRequest { Document = id, Hello = ByteString.CopyFrom(Calls.Hello()) });
        yield return ("Sync.Ack", new V1.AckDocumentRequest { Document = id });
        yield return ("Sync.GetDelivered", new V1.GetDeliveredRequest { Document = id });
        yield return ("Sync.DeleteDocument", Calls.Delete(server, alice, document.Id));
    }
}
