using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>
/// A receipt means: on the disk. What a killed process leaves behind is what its files hold at that moment, so the tests copy the files of
/// a store that is still open, and open the copy.
/// </summary>
public sealed class SqliteDurabilityTests : IDisposable
{
    private readonly TempFolder _folder = new("durability");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_has_a_receipt_is_there_after_a_kill_at_its_index_and_an_unfinished_commit_is_not()
    {
        await using var store = await SqliteRelayStore.OpenAsync(_folder.File("relay.db"), Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        for (var round = 0; round < 10; round++)
        {
            var receipts = await world.AcceptAsync(owner, document, document.NextDelta(owner, 3000), document.NextDelta(owner));
            await using var unfinished = await store.BeginAsync([document.Id], [], Cancel);
            await AssertHeldAsync(world, owner, document, Copy($"killed-{round}"), receipts, document.Envelopes.Count);
        }
    }

    [Fact]
    public async Task A_torn_end_of_the_write_ahead_log_costs_whole_commits_and_leaves_a_log_that_is_whole()
    {
        await using var store = await SqliteRelayStore.OpenAsync(_folder.File("relay.db"), Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var before = await world.AcceptAsync(owner, document, document.NextDelta(owner, 3000));
        var flushed = new FileInfo(_folder.File("relay.db-wal")).Length;
        await world.AcceptAsync(owner, document, document.NextDelta(owner, 9000), document.NextDelta(owner, 9000));
        var written = new FileInfo(_folder.File("relay.db-wal")).Length;

        for (var length = flushed; length < written; length += 1999)
        {
            var copy = Copy($"torn-{length}");
            await using (var log = File.OpenWrite(copy + "-wal")) log.SetLength(length);
            await AssertHeldAsync(world, owner, document, copy, before, 3);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_keeps_what_it_has_and_recovers_by_itself()
    {
        await using var disk = await SmallDisk.TryMountAsync(_folder.Folder("disk"), 3 << 20, Cancel);
        Assert.SkipWhen(disk is null, SmallDisk.Unavailable);
        await using var store = await SqliteRelayStore.OpenAsync(_folder.File("disk", "relay.db"), Cancel);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await File.WriteAllBytesAsync(_folder.File("disk", "ballast"), new byte[1 << 20], Cancel);

        var held = document.Envelopes.Count;
        while (true)
        {
            var delta = document.NextDelta(owner, 100_000);
            var outcome = await world.PushAsync(owner, document, delta);
            if (outcome.Succeeded)
            {
                held++;
                continue;
            }

            Assert.Equal(Reason.StorageFull, outcome.Refusal.Reason);
            Assert.Equal(held, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
            Assert.Equal(Reason.StorageFull, (await world.RefuseAsync(owner, document, delta)).Reason);

            File.Delete(_folder.File("disk", "ballast"));
            Assert.Equal((ulong)held, (await world.AcceptAsync(owner, document, delta))[0].Leaf.Index);
            return;
        }
    }

    public void Dispose() => _folder.Dispose();

    private string Copy(string name)
    {
        var copy = _folder.File(name + ".db");
        foreach (var suffix in new[] { "", "-wal" }) File.Copy(_folder.File("relay.db" + suffix), copy + suffix);
        return copy;
    }

    private static async Task AssertHeldAsync(
        RelayWorld world, SigningKey owner, DocumentBuilder document, string file, IReadOnlyList<Receipt> receipts, int held)
    {
        await using var store = await SqliteRelayStore.OpenAsync(file, Cancel);
        await using var relay = world.Start(store);
        var entries = await RelayWorld.ReadAllAsync(relay, owner, document.Id);
        Assert.Equal(document.Envelopes.Take(held).Select(envelope => envelope.Id), entries.Select(entry => entry.Id));
        var range = CompactRange.Empty;
        foreach (var entry in entries)
        {
            range = range.Append(entry.Id);
            if (receipts.FirstOrDefault(receipt => receipt.Leaf.Size == range.Size) is { } receipt)
                Assert.Equal((entry.Id, range.Root), (receipt.Leaf.Envelope, receipt.Leaf.Root));
        }

        var again = await RelayWorld.PushAsync(relay, owner, document.Id, [.. document.Envelopes.Where(envelope => receipts.Any(receipt => receipt.Leaf.Envelope == envelope.Id))]);
        Assert.Equal(RelayWorld.Text(receipts), RelayWorld.Text(again.Value!));
    }
}
