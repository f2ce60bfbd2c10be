using System.Threading.Channels;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>Large parts of snapshots are files beside the database, and a file that is not right is never served.</summary>
public sealed class BlobFolderTests(PostgresFixture postgres) : IAsyncDisposable
{
    private readonly TempFolder _folder = new("blobs");
    private readonly List<IAsyncDisposable> _opened = [];
    private string? _connectionString;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Blobs => _folder.File("blobs");

    private string[] Files => Directory.Exists(Blobs) ? Directory.GetFiles(Blobs, "*", SearchOption.AllDirectories) : [];

    [Theory, BothStores]
    public async Task The_parts_of_a_snapshot_are_a_file_from_the_limit_on_and_are_read_back_byte_for_byte(StoreKind kind)
    {
        const int noise = 5000;
        var store = await OpenAsync(kind, new(null));
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var snapshot = document.NextSnapshot(owner, noise);
        var length = snapshot.PartBytes.Length;

        await using var below = world.Start(await OpenAsync(kind, new(Blobs, length + 1)));
        Assert.True((await RelayWorld.PushAsync(below, owner, document.Id, snapshot)).Succeeded);
        Assert.Empty(Files);
        await using var at = world.Start(await OpenAsync(kind, new(Blobs, length)));
        Assert.True((await RelayWorld.PushAsync(at, owner, document.Id, document.NextSnapshot(owner, noise), document.NextDelta(owner, noise))).Succeeded);
        Assert.Equal(length, new FileInfo(Assert.Single(Files)).Length);

        await using var cold = world.Start(await OpenAsync(kind, new(Blobs)));
        var read = await RelayWorld.ReadAllAsync(cold, owner, document.Id);
        Assert.Equal(document.Envelopes.Select(envelope => envelope.Bytes.ToArray()), read.Select(entry => entry.Bytes.ToArray()));
        var bytes = (ulong)document.Envelopes.Sum(envelope => envelope.Bytes.Length);
        Assert.Equal(bytes, (await store.FindAsync(document.Id, Cancel))!.StoredBytes);
        Assert.Equal(bytes, (await store.CountDocumentAsync(document.Id, Cancel))!.Bytes);
    }

    [Theory, BothStores]
    public async Task A_page_counts_the_bytes_of_files(StoreKind kind)
    {
        await using var world = new RelayWorld(await OpenAsync(kind, new(Blobs)));
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        for (var i = 0; i < 3; i++) await world.AcceptAsync(owner, document, document.NextSnapshot(owner, BlobFolder.MinimumBytes));

        await using var cold = world.Start(await OpenAsync(kind, new(Blobs)));
        var first = await cold.ReadAsync(owner.Public, document.Id, new(2), Cancel);

        Assert.Equal(3, Files.Length);
        Assert.Single(first.Value!.Entries);
    }

    [Theory, BothStores]
    public async Task A_file_that_is_missing_cut_or_altered_is_refused_for_now_and_the_rest_is_read(StoreKind kind)
    {
        await using var world = new RelayWorld(await OpenAsync(kind, new(Blobs)));
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextSnapshot(owner, BlobFolder.MinimumBytes));
        await world.AcceptAsync(owner, document, document.NextDelta(owner));
        var (file, content) = (Files.Single(), await File.ReadAllBytesAsync(Files.Single(), Cancel));
        await using var cold = world.Start(await OpenAsync(kind, new(Blobs)));
        byte[] altered = [.. content];
        altered[^1] ^= 1;

        foreach (var wrong in new[] { null, content[..^1], altered })
        {
            if (wrong is null) File.Delete(file);
            else await File.WriteAllBytesAsync(file, wrong, Cancel);
            var refused = await cold.ReadAsync(owner.Public, document.Id, new(2), Cancel);
            Assert.Equal(Reason.Unavailable, refused.Refusal?.Reason);
            Assert.IsType<DamagedBlobException>(world.Faults.Last().InnerException);
            Assert.Single((await cold.ReadAsync(owner.Public, document.Id, new(3), Cancel)).Value!.Entries);
        }

        Assert.Equal(3, world.Faults.Count);
        await File.WriteAllBytesAsync(file, content, Cancel);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(cold, owner, document.Id)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_missing_is_damage_only_while_a_row_refers_to_it(bool refers)
    {
        var blob = new StoredBlob(new EnvelopeId(new(new byte[32])), 1);
        var row = new StoredRow(new(blob.Envelope, default, new byte[1]), blob, 100);

        var refused = await Assert.ThrowsAsync<TlfsException>(() => new BlobFolder(Blobs).CompleteAsync([row], new FixedIndex(refers ? [blob] : []), Cancel));

        Assert.Equal((Reason.Unavailable, refers), (refused.Reason, refused.InnerException is DamagedBlobException));
    }

    [Theory, BothStores]
    public async Task What_a_commit_that_failed_left_is_swept_after_an_hour_and_what_is_referred_to_never(StoreKind kind)
    {
        var blobs = new BlobFolder(Blobs);
        var store = await OpenAsync(kind, blobs);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextSnapshot(owner, BlobFolder.MinimumBytes));
        var kept = Files.Single();
        // The machine stops between the file and the commit.
        await blobs.SaveAsync([new(document.NextSnapshot(owner, BlobFolder.MinimumBytes), 3, null, default, 0)], Cancel);
        await File.WriteAllTextAsync(kept + ".tmp", "half", Cancel);
        await File.WriteAllTextAsync(Path.Combine(Blobs, "notes.txt"), "of the operator", Cancel);
        var now = new DateTimeOffset(Files.Max(File.GetLastWriteTimeUtc), TimeSpan.Zero);

        Assert.Equal(0, await blobs.SweepAsync((IBlobIndex)store, now, Cancel));
        Assert.Equal(4, Files.Length);
        Assert.Equal(2, await blobs.SweepAsync((IBlobIndex)store, now + BlobFolder.SweepAge + TimeSpan.FromSeconds(1), Cancel));

        Assert.Equal([kept, Path.Combine(Blobs, "notes.txt")], Files.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        await using var cold = world.Start(await OpenAsync(kind, new(Blobs)));
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(cold, owner, document.Id)).Count);
        // It was never acknowledged, so its author sends it again.
        await world.AcceptAsync(owner, document, document.Envelopes[^1]);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(cold, owner, document.Id)).Count);
    }

    [Fact]
    public async Task The_folder_is_swept_at_the_start_and_once_a_day()
    {
        var blobs = new BlobFolder(Blobs, 1);
        await using var world = new RelayWorld(await OpenAsync(StoreKind.Sqlite, blobs));
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextSnapshot(owner, 300));
        var index = new AskedIndex();
        var clock = new SleepersClock(new DateTimeOffset(File.GetLastWriteTimeUtc(Files.Single()), TimeSpan.Zero) + BlobFolder.SweepAge + TimeSpan.FromMinutes(1));
        using var sweep = new BlobSweep(blobs, index, clock, NullLogger<BlobSweep>.Instance);

        await sweep.StartAsync(Cancel);
        await index.NextAsync();
        Assert.Equal(TimeSpan.FromDays(1), await clock.SomebodySleepsAsync().WaitAsync(Cancel));
        clock.Advance(TimeSpan.FromDays(1));
        await index.NextAsync();

        await sweep.StopAsync(Cancel);
        Assert.Single(Files);
    }

    [Theory, BothStores]
    public async Task Deleted_files_give_their_room_back_at_once(StoreKind kind)
    {
        var blobs = new BlobFolder(Blobs);
        var store = await OpenAsync(kind, blobs);
        await using var world = new RelayWorld(store);
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        var snapshot = document.NextSnapshot(owner, BlobFolder.MinimumBytes);
        await world.AcceptAsync(owner, document, snapshot);

        var found = await ((IBlobIndex)store).FindBlobsAsync([snapshot.Id, document.Genesis.Id], Cancel);
        blobs.Delete(found);
        blobs.Delete(found);

        Assert.Equal(snapshot.Id, Assert.Single(found).Envelope);
        Assert.Empty(Files);
    }

    [Fact]
    public async Task A_full_disk_refuses_the_snapshot_alone_and_recovers_by_itself()
    {
        await using var disk = await SmallDisk.TryMountAsync(_folder.Folder("disk"), 1 << 20, Cancel);
        Assert.SkipWhen(disk is null, SmallDisk.Unavailable);
        await using var world = new RelayWorld(await OpenAsync(StoreKind.Sqlite, new(_folder.File("disk", "blobs"))));
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await File.WriteAllBytesAsync(_folder.File("disk", "ballast"), new byte[900 << 10], Cancel);
        var snapshot = document.NextSnapshot(owner, 200_000);

        Assert.Equal(Reason.StorageFull, (await world.RefuseAsync(owner, document, snapshot)).Reason);
        Assert.Empty(Directory.GetFiles(_folder.File("disk", "blobs"), "*", SearchOption.AllDirectories));
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
        File.Delete(_folder.File("disk", "ballast"));

        await world.AcceptAsync(owner, document, snapshot);
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task A_store_whose_folder_was_taken_away_serves_everything_else()
    {
        await using var world = new RelayWorld(await OpenAsync(StoreKind.Sqlite, new(Blobs)));
        var owner = world.Tenant();
        var document = await world.HostedAsync(owner);
        await world.AcceptAsync(owner, document, document.NextSnapshot(owner, BlobFolder.MinimumBytes));

        await using var without = world.Start(await OpenAsync(StoreKind.Sqlite, BlobFolder.None));

        Assert.Equal(Reason.Unavailable, (await without.ReadAsync(owner.Public, document.Id, new(2), Cancel)).Refusal!.Reason);
        Assert.True((await RelayWorld.PushAsync(without, owner, document.Id, document.NextSnapshot(owner, BlobFolder.MinimumBytes))).Succeeded);
        Assert.Single((await without.ReadAsync(owner.Public, document.Id, new(3), Cancel)).Value!.Entries);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var each in _opened.AsEnumerable().Reverse()) await each.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<IRelayStore> OpenAsync(StoreKind kind, BlobFolder blobs)
    {
        IRelayStore store;
        if (kind is StoreKind.Sqlite) store = await SqliteRelayStore.OpenAsync(_folder.File("relay.db"), Cancel, blobs);
        else
        {
            _connectionString ??= (await postgres.CreateDatabaseAsync(Cancel)).ConnectionString;
            var source = NpgsqlDataSource.Create(_connectionString);
            _opened.Add(source);
            store = await PostgresRelayStore.OpenAsync(source, Cancel, blobs);
        }

        _opened.Add(store);
        return store;
    }

    private sealed class FixedIndex(HashSet<StoredBlob> blobs) : IBlobIndex
    {
        public Task<IReadOnlySet<StoredBlob>> FindBlobsAsync(IReadOnlyCollection<EnvelopeId> envelopes, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlySet<StoredBlob>>(blobs);
    }

    // It cannot be asked, so nothing is removed, and the sweep tries again.
    private sealed class AskedIndex : IBlobIndex
    {
        private readonly Channel<int> _asked = Channel.CreateUnbounded<int>();

        public Task<IReadOnlySet<StoredBlob>> FindBlobsAsync(IReadOnlyCollection<EnvelopeId> envelopes, CancellationToken cancellationToken)
        {
            Assert.True(_asked.Writer.TryWrite(envelopes.Count));
            return Task.FromException<IReadOnlySet<StoredBlob>>(new TlfsException(Reason.Unavailable, "The database cannot be asked now."));
        }

        public async Task NextAsync() => Assert.Equal(1, await _asked.Reader.ReadAsync(Cancel));
    }
}
