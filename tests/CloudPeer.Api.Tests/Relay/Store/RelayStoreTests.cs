using CloudPeer.Api.Relay.Store;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Npgsql;

namespace CloudPeer.Api.Tests.Relay.Store;

public sealed class MemoryRelayStoreTests : RelayStoreContract
{
    private readonly MemoryRelayStore _store = new();

    private protected override Task<IRelayStore> OpenAsync() => Task.FromResult<IRelayStore>(_store);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _store.DisposeAsync();
    }
}

public sealed class SqliteRelayStoreTests : RelayStoreContract
{
    private readonly TempFolder _folder = new("relay");
    private readonly List<IRelayStore> _opened = [];

    private protected override async Task<IRelayStore> OpenAsync()
    {
        _opened.Add(await SqliteRelayStore.OpenAsync(_folder.File("relay.db"), Cancel));
        return _opened[^1];
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var store in _opened.Skip(1)) await store.DisposeAsync();
        _folder.Dispose();
    }
}

public sealed class PostgresRelayStoreTests(PostgresFixture postgres) : RelayStoreContract
{
    private readonly List<NpgsqlDataSource> _sources = [];
    private string? _connectionString;

    private protected override async Task<IRelayStore> OpenAsync()
    {
        _connectionString ??= (await postgres.CreateDatabaseAsync(Cancel)).ConnectionString;
        var source = NpgsqlDataSource.Create(_connectionString);
        _sources.Add(source);
        return await PostgresRelayStore.OpenAsync(source, Cancel);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var source in _sources) await source.DisposeAsync();
    }
}
