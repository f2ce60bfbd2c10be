using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Grpc.Core;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Sessions;

/// <summary>Which calls are open is said by docs/protocol/api.md §5.</summary>
public sealed class OpenCallsTests(PostgresFixture postgres)
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    [Fact]
    public async Task A_call_without_a_session_is_refused_exactly_if_the_page_says_that_it_needs_one()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);

        var calls = ApiPage.Read().Calls.ToList();
        var refused = new List<string>();
        foreach (var call in calls)
        {
            if (await ReasonAsync(server, call) is Reason.Unauthenticated) refused.Add($"{call.Service}.{call.Call}");
        }

        Assert.Equal(calls.Where(call => call.NeedsSession).Select(call => $"{call.Service}.{call.Call}"), refused, StringComparer.Ordinal);
    }

    // Whatever the call's kind, the server answers an empty message with its first one, or with the status.
    private static async Task<Reason?> ReasonAsync(TestServer server, ApiCall call)
    {
        var method = new Method<byte[], byte[]>(MethodType.ServerStreaming, $"cloudpeer.v1.{call.Service}", call.Call, Bytes, Bytes);
        using var answers = server.Channel.CreateCallInvoker().AsyncServerStreamingCall(method, null, new(cancellationToken: TestContext.Current.CancellationToken), []);
        try
        {
            await answers.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
            return null;
        }
        catch (RpcException failure)
        {
            return CloudPeer.Sync.Wire.Refusals.FromRpc(failure).Reason;
        }
    }
}
