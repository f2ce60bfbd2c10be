using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Xunit;

namespace CloudPeer.Api.Tests.Nodes;

/// <summary>All nodes over one database have one key, however they start.</summary>
public sealed class IdentityTests(PostgresFixture postgres)
{
    private const int Nodes = 4;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_share_a_folder_and_start_together_for_the_first_time_are_one_server()
    {
        using var folder = new TempFolder("nodes");
        var database = await postgres.CreateDatabaseAsync(Cancel);

        var nodes = await Task.WhenAll(Enumerable.Range(0, Nodes).Select(_ => ServerNode.StartAsync(folder.File("data"), database)));

        Assert.Single(nodes.Select(node => node.Peer).Distinct());
        Assert.Equal("identity.key", Assert.Single(Directory.GetFiles(folder.File("data")).Select(Path.GetFileName)));
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Fact]
    public async Task Of_nodes_that_start_together_with_different_keys_one_has_the_database_and_the_others_are_refused()
    {
        using var folder = new TempFolder("nodes");
        var database = await postgres.CreateDatabaseAsync(Cancel);
        var processes = Enumerable.Range(0, Nodes).Select(i => ServerProcess.Start(ServerNode.Spec(folder.File($"data-{i}"), database))).ToList();

        var ended = new List<ProcessResult>();
        var endings = processes.Select(process => process.WaitForExitAsync(Cancel)).ToList();
        for (var i = 0; i < Nodes - 1; i++)
        {
            var ending = await Task.WhenAny(endings);
            endings.Remove(ending);
            ended.Add(await ending);
        }

        Assert.All(ended, result => Assert.Contains("[wrong-server]", result.StandardError, StringComparison.Ordinal));
        var left = Assert.Single(processes, process => !process.HasExited);
        await left.WaitForLineAsync("^cloudpeer ready", Cancel);
        left.Kill9();
        await Assert.Single(endings);
        foreach (var process in processes) await process.DisposeAsync();
    }
}
