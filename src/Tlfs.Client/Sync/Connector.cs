using CloudPeer.Sync.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>Opens connections to servers.</summary>
internal sealed class Connector(ReplicaHome home)
{
    /// <summary>
    /// Connects and proves both ends. Where the services are is asked anew each time, so that a server may move; who the server is, is not.
    /// </summary>
    /// <param name="url">The server's address.</param>
    /// <param name="pinned">The server's id; null to take the one that it claims and proves.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<CloudpeerConnection> ConnectAsync(string url, PeerId? pinned, CancellationToken cancellationToken)
    {
        var options = home.Options;
        var address = ServerUrl.Parse(url, options.AllowInsecure);
        var info = await ServerInfo.DiscoverAsync(address, options.AllowInsecure, cancellationToken);
        if (pinned is { } expected && expected != info.Server)
            throw new TlfsException(Reason.WrongServer, $"{url} is {info.Server} now, but {expected} was added; nothing was sent to it");
        var connection = new CloudpeerConnection(info.GrpcUrl, info.Server, home.Keys.Device, options.Entropy, options.Time)
        {
            App = home.Do(() => home.Cloudpeers.Find(address)?.App) ?? string.Empty,
        };
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
