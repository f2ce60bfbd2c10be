using CloudPeer.Api.Relay.Store;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>Which server keeps large parts of snapshots in which folder (docs/operations/configuration.md).</summary>
public sealed class BlobTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task The_embedded_store_has_a_folder_of_its_own_and_postgres_has_none(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);

        await AssertKeepsAsync(server);

        Assert.Equal(store is StoreKind.Sqlite ? 1 : 0, Files(Path.Combine(server.DataFolder, "blobs")).Length);
    }

    [Theory, BothStores]
    public async Task A_folder_that_is_set_has_one_for_each_server(StoreKind store)
    {
        using var shared = new TempFolder("shared");
        await using var server = await TestServer.StartAsync(store, postgres, ("BLOB_DIR", shared.File("blobs")));

        await AssertKeepsAsync(server);

        Assert.Single(Files(shared.File("blobs", server.Peer.ToString())));
        Assert.False(Directory.Exists(Path.Combine(server.DataFolder, "blobs")));
    }

    private static string[] Files(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : [];

    // Also after a restart, when nothing is remembered, and in a backup.
    private static async Task AssertKeepsAsync(TestServer server)
    {
        using var alice = await TestDevice.RegisterAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        var snapshot = document.NextSnapshot(alice.Key, BlobFolder.MinimumBytes);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        using var copy = await server.CopyAsync();
        await server.RestoreAsync(copy);
        await server.StartAsync();

        using var call = alice.Sync.Pull(new() { Document = document.Id.ToWire(), From = 2 }, alice.Options);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(snapshot.Bytes.ToArray(), Assert.Single(call.ResponseStream.Current.Entries.Entries_).Envelope.ToByteArray());
    }
}
