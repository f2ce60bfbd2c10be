using System.Net;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>A full data folder under 64 writers: they are told, what is stored can be read, and all goes on by itself when there is room again.</summary>
public sealed class FullDiskTests
{
    private const int Documents = 16, WritersPerDocument = 4, Outbox = 100;

    // What is left fills up long before the outboxes are empty, and with the ballast gone there is room for all of them.
    private const int Disk = 64 << 20, Ballast = 58 << 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_data_folder_refuses_every_writer_serves_every_reader_and_recovers_without_a_restart()
    {
        using var folder = new TempFolder("full");
        await using var disk = await SmallDisk.TryMountAsync(folder.Folder("disk"), Disk, Cancel);
        Assert.SkipWhen(disk is null, SmallDisk.Unavailable);
        await using var node = await ServerNode.StartAsync(folder.File("disk", "data"), null);
        using var load = new Load(1, node.Peer, Documents, WritersPerDocument);
        await load.HostAsync(node);
        var ballast = folder.File("disk", "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[Ballast], Cancel);
        load.Prepare(Outbox);

        var reasons = await load.RunAsync(node, int.MaxValue, () => Task.CompletedTask);

        Assert.All(reasons, reason => Assert.Equal(Reason.StorageFull, reason));
        await load.CheckAsync(node);
        Assert.All(await load.RunAsync(node, int.MaxValue, () => Task.CompletedTask), reason => Assert.Equal(Reason.StorageFull, reason));
        await load.CheckAsync(node, fromTheStart: true);
        node.AssertNoErrors();
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), await HealthAsync(node));

        File.Delete(ballast);
        Assert.All(await load.RunAsync(node, int.MaxValue, () => Task.CompletedTask), Assert.Null);
        await load.CheckAsync(node, fromTheStart: true);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), await HealthAsync(node));
    }

    private static async Task<(HttpStatusCode Live, HttpStatusCode Ready)> HealthAsync(ServerNode node)
    {
        using var http = new HttpClient();
        using var live = await http.GetAsync(new Uri(node.HttpUrl + "/health/live"), Cancel);
        using var ready = await http.GetAsync(new Uri(node.HttpUrl + "/health/ready"), Cancel);
        return (live.StatusCode, ready.StatusCode);
    }
}
