using System.Diagnostics;
using System.Globalization;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>
/// A receipt means: on the disk. 64 writers push while the server, or its database, is killed at a moment that follows from the seed, and again, over the
/// same data. <c>CLOUDPEER_TEST_ROUNDS</c> is how often (3; 50 for the full run), <c>CLOUDPEER_TEST_SEED</c> another seed.
/// </summary>
public sealed class KillTests(PostgresFixture postgres)
{
    private const int Documents = 16, WritersPerDocument = 4;

    // The kill comes after so many receipts at the most; the outboxes hold more, so that all writers are busy then.
    private const int MostReceipts = 1_000;
    private const int Outbox = 3 * MostReceipts / (Documents * WritersPerDocument);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static int Rounds => Number("CLOUDPEER_TEST_ROUNDS", 3);

    private static int Seed => Number("CLOUDPEER_TEST_SEED", 1);

    [Theory, BothStores]
    public async Task A_server_that_is_killed_again_and_again_loses_and_doubles_nothing_that_it_acknowledged(StoreKind store)
    {
        using var folder = new TempFolder("killed");
        var database = store == StoreKind.Postgres ? await postgres.CreateDatabaseAsync(Cancel) : null;
        var moments = new SeededEntropy((ulong)Seed);
        var clock = Stopwatch.StartNew();
        await using var node = await ServerNode.StartAsync(folder.File("data"), database);
        using var load = await BeginAsync(node);
        for (var round = 0; round < Rounds; round++)
        {
            load.Prepare(Outbox);
            var after = moments.Below(MostReceipts);
            var reasons = await load.RunAsync(node, after, node.Kill9Async);
            Say($"{store}, round {round}: killed after {after} receipts, {load.Receipts} so far");
            Assert.All(reasons, reason => Assert.NotNull(reason));
            node.AssertNoErrors();

            await node.RestartAsync();
            await load.CheckAsync(node);
        }

        await load.FinishAsync([node], 2);
        await load.CheckAsync(node, fromTheStart: true);
        Say($"{store}, seed {Seed}: {Rounds} kills, {load.Receipts} envelopes acknowledged, {load.Entries} in the logs, {clock.Elapsed.TotalSeconds:0} s");
    }

    [Fact]
    public async Task A_database_that_is_killed_loses_nothing_and_the_server_goes_on_by_itself_when_it_is_back()
    {
        await using var cluster = await PostgresCluster.StartAsync(Cancel);
        Assert.SkipUnless(cluster.CanBeKilled, "PostgreSQL in a container cannot be killed and started again at the same address.");
        using var folder = new TempFolder("killed");
        var database = await cluster.CreateDatabaseAsync("killed", Cancel);
        var moments = new SeededEntropy((ulong)Seed);
        await using var node = await ServerNode.StartAsync(folder.File("data"), database);
        using var load = await BeginAsync(node);
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < Rounds; round++)
        {
            load.Prepare(Outbox);
            var after = moments.Below(MostReceipts);
            var reasons = await load.RunAsync(node, after, () => cluster.Kill9Async(Cancel));
            Say($"database, round {round}: killed after {after} receipts, {load.Receipts} so far");
            Assert.All(reasons, reason => Assert.Equal(Reason.Unavailable, reason));

            await cluster.StartAgainAsync(Cancel);
            await load.FinishAsync([node], 2);
            await load.CheckAsync(node);
        }

        await load.CheckAsync(node, fromTheStart: true);
        node.AssertNoErrors();
        Say($"database, seed {Seed}: {Rounds} kills, {load.Receipts} envelopes acknowledged, {load.Entries} in the logs, {clock.Elapsed.TotalSeconds:0} s");
    }

    private static async Task<Load> BeginAsync(ServerNode node)
    {
        var load = new Load((ulong)Seed, node.Peer, Documents, WritersPerDocument);
        await load.HostAsync(node);
        return load;
    }

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;

    private static void Say(FormattableString line) => TestContext.Current.TestOutputHelper?.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
