using CloudPeer.Api.Accounts;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Api.Relay;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary>What an operator's command works on: the databases of a server, which may be running meanwhile.</summary>
internal sealed class OperatorScope : IAsyncDisposable
{
    private readonly HostResources _resources = new();

    private OperatorScope()
    {
    }

    /// <summary>The logs.</summary>
    public IRelayStore Store { get; private set; } = null!;

    /// <summary>The tenants.</summary>
    public AccountDirectory Accounts { get; private set; } = null!;

    /// <summary>Opens the databases, and brings their tables to this version.</summary>
    /// <exception cref="Tlfs.Core.TlfsException">A database cannot be used, or is another server's.</exception>
    public static async Task<OperatorScope> OpenAsync(ServerSettings settings, TimeProvider clock, CancellationToken cancellationToken)
    {
        var scope = new OperatorScope();
        try
        {
            var resources = scope._resources;
            var folder = resources.Own(() => DataFolder.OpenShared(settings));
            var identity = resources.Own(() => ServerIdentity.LoadOrCreate(folder, SystemEntropy.Instance));
            var postgres = settings.PostgresConnection is { } connection ? resources.Own(() => PostgresDurability.Open(connection)) : null;
            scope.Store = await resources.OwnAsync(() => StartupFailure.ExplainDatabase(() => StoreFeature.OpenAsync(postgres, folder, StoreFeature.Blobs(settings, identity.Peer), cancellationToken), settings));
            var services = await resources.OwnAsync(() => Task.FromResult(
                new ServiceCollection().AddSingleton(settings).AddSingleton(clock).AddHostDatabase(postgres, folder, identity.Peer).AddAccounts().BuildServiceProvider()));
            await StartupFailure.ExplainDatabase(() => services.GetRequiredService<HostSchema>().PrepareAsync(cancellationToken), settings);
            scope.Accounts = services.GetRequiredService<AccountDirectory>();
            return scope;
        }
        catch
        {
            await scope.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _resources.DisposeAsync();
}
