using System.Data.Common;
using CloudPeer.Api.Relay.Store;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>A relay over the database that a test asks for, or over memory, with a clock that the test moves.</summary>
internal sealed class TenancyWorld : IAsyncDisposable
{
    private readonly TempFolder _folder = new("tenancy");
    private readonly List<IAsyncDisposable> _opened = [];
    private readonly Func<TenancyWorld, Task<IRelayStore>> _open;
    private RelayWorld? _relays;

    private TenancyWorld(Func<TenancyWorld, Task<IRelayStore>> open) => _open = open;

    public FakeTimeProvider Clock { get; } = new(TestServer.Start);

    public RelayWorld Relays => _relays!;

    public IRelayStore Store => Relays.Store;

    private string? Postgres { get; init; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<TenancyWorld> OpenAsync(StoreKind store, PostgresFixture postgres, ulong seed = 1, RelayLimits? limits = null)
    {
        if (store == StoreKind.Sqlite) return await OpenAsync(async world => await SqliteRelayStore.OpenAsync(world._folder.File("relay.db"), Cancel), seed, limits);
        var database = await postgres.CreateDatabaseAsync(Cancel);
        return await OpenAsync(
            async world =>
            {
                var source = NpgsqlDataSource.Create(database.ConnectionString);
                world._opened.Add(source);
                return await PostgresRelayStore.OpenAsync(source, Cancel);
            },
            seed,
            limits,
            database.ConnectionString);
    }

    /// <summary>Runs statements on the database itself, as a migration does.</summary>
    public async Task ExecuteAsync(params IEnumerable<string> statements)
    {
        await using DbConnection connection = Postgres is null ? new SqliteConnection($"Data Source={_folder.File("relay.db")}") : new NpgsqlConnection(Postgres);
        await connection.OpenAsync(Cancel);
        foreach (var statement in statements)
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the test's and the scripts'.
            command.CommandText = statement;
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    public static Task<TenancyWorld> InMemoryAsync(ulong seed)
    {
        IRelayStore? store = null;
        return OpenAsync(_ => Task.FromResult(store ??= new MemoryRelayStore()), seed, null);
    }

    /// <summary>Another relay over the same data, as a second process would be.</summary>
    public async Task<DocumentRelay> AnotherAsync(RelayLimits? limits = null)
    {
        var relay = Relays.Start(await OpenStoreAsync(), limits);
        _opened.Add(relay);
        return relay;
    }

    /// <summary>A tenant with limits.</summary>
    public (SigningKey Device, AccountId Account) Tenant(TenantLimits limits)
    {
        var device = Relays.Tenant();
        var account = Relays.Tenants.Register(device.Public);
        Relays.Tenants.Change(account, limits);
        return (device, account);
    }

    /// <summary>Pushes one bundle, which must be refused because a limit is reached.</summary>
    public async Task<Refusal> AssertFullAsync(QuotaResource resource, ulong limit, ulong used, SigningKey pusher, DocumentBuilder document, params Envelope[] bundle)
    {
        var refusal = await Relays.RefuseAsync(pusher, document, bundle);
        Assert.Equal((Reason.QuotaExceeded, new QuotaUse(resource, limit, used)), (refusal.Reason, refusal.Quota));
        return refusal;
    }

    /// <summary>All counters must be what the tables say.</summary>
    public async Task AssertExactAsync() => Assert.Empty((await new UsageAudit(Store, Clock).RunAsync(repair: false, Cancel)).Differences);

    public async ValueTask DisposeAsync()
    {
        if (_relays is not null) await _relays.DisposeAsync();
        for (var i = _opened.Count - 1; i >= 0; i--) await _opened[i].DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<TenancyWorld> OpenAsync(Func<TenancyWorld, Task<IRelayStore>> open, ulong seed, RelayLimits? limits, string? postgres = null)
    {
        var world = new TenancyWorld(open) { Postgres = postgres };
        world._relays = new(await world.OpenStoreAsync(), seed, limits, world.Clock);
        return world;
    }

    private async Task<IRelayStore> OpenStoreAsync()
    {
        var store = await _open(this);
        _opened.Add(store);
        return store;
    }
}
