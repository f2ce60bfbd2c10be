using CloudPeer.Sync.Client;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Client;

// Up to where devices have fetched documents (docs/protocol/sync.md §8).
public sealed partial class LocalFirst
{
    /// <summary>Whether the other devices of a document may see up to where this one has fetched it.</summary>
    public bool ShowsDelivery => _home.Do(() => _home.ShowsDelivery);

    /// <summary>Sets that for this replica, from the next sync on. What servers were told before stays there.</summary>
    public Task ShowDeliveryAsync(bool show, CancellationToken cancellationToken = default) => _home.DoAsync(
        () =>
        {
            _home.Settings.ShowsDelivery = show;
            return true;
        },
        cancellationToken);

    /// <summary>
    /// Asks the servers up to where the devices of each document have fetched it, this one included. Devices that do not want that to be seen are not in it,
    /// and neither is what a server that cannot be reached would say.
    /// </summary>
    /// <param name="only">Only these documents; null for all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<DeviceDelivery>> DeliveredAsync(IReadOnlyCollection<DocId>? only = null, CancellationToken cancellationToken = default)
    {
        var targets = await _home.DoAsync(() => Targets.All(_home, only), cancellationToken);
        var answers = await Task.WhenAll(targets.Where(target => target.Documents.Count > 0).Select(target => DeliveredAsync(target, cancellationToken)));
        return [.. answers.SelectMany(each => each)];
    }

    private async Task<IReadOnlyList<DeviceDelivery>> DeliveredAsync(Target target, CancellationToken cancellationToken)
    {
        var all = new List<DeviceDelivery>();
        try
        {
            await using var connection = await _connector.ConnectAsync(target.Url, target.Server, cancellationToken);
            foreach (var document in target.Documents)
            {
                var size = _home.Do(() => _home.Custody.Head(new(document, target.Server))?.Size ?? 0);
                foreach (var each in await DeliveredAsync(connection, document, cancellationToken))
                    all.Add(new(document, target.Url, each.Device, each.Size, size, UnixMicros.ToInstant(each.Micros)));
            }
        }
        catch (TlfsException)
        {
            // What is known is said; the server is tried again when it is asked again.
        }

        return all;
    }

    private static async Task<IReadOnlyList<DeviceProgress>> DeliveredAsync(CloudpeerConnection connection, DocId document, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.GetDeliveredAsync(document, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason is Reason.NotFound or Reason.Unsupported)
        {
            return [];
        }
    }
}
