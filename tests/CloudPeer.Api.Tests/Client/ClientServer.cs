using System.Globalization;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>Servers that keep their addresses when they start again.</summary>
internal static class ClientServer
{
    public static Task<TestServer> StartAsync(StoreKind store, PostgresFixture postgres, params (string Name, string Value)[] settings)
    {
        var ports = FreePort.Next(2);
        return TestServer.StartAsync(
            store, postgres, [("HTTP_PORT", Text(ports[0])), ("GRPC_PORT", Text(ports[1])), .. settings]);
    }

    public static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
