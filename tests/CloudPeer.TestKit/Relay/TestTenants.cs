using System.Collections.Concurrent;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.TestKit.Relay;

/// <summary>Tenants that a test registers.</summary>
public sealed class TestTenants : ITenants
{
    private readonly ConcurrentDictionary<PeerId, AccountId> _devices = [];
    private readonly ConcurrentDictionary<AccountId, TenantInfo> _tenants = [];

    /// <summary>Makes the device that of a tenant of its own.</summary>
    public AccountId Register(PeerId device, ulong quotaBytes = 0)
    {
        var account = new AccountId(device.Value);
        _devices[device] = account;
        _tenants[account] = new(account, TenantState.Active, new() { StorageBytes = quotaBytes }) { Devices = [device] };
        return account;
    }

    /// <summary>Makes the device one more of a tenant's.</summary>
    public void Join(PeerId device, AccountId account)
    {
        _devices[device] = account;
        _tenants[account] = _tenants[account] with { Devices = _tenants[account].Devices.Add(device) };
    }

    /// <summary>Changes what a tenant may do.</summary>
    public void Change(AccountId account, ulong quotaBytes, bool mayWrite) =>
        Change(account, new TenantLimits { StorageBytes = quotaBytes }, mayWrite ? TenantState.Active : TenantState.ExportOnly);

    /// <summary>Changes what a tenant may do.</summary>
    public void Change(AccountId account, TenantLimits limits, TenantState state = TenantState.Active) =>
        _tenants[account] = _tenants[account] with { Limits = limits, State = state };

    /// <inheritdoc />
    public ValueTask<TenantInfo?> FindByDeviceAsync(PeerId device, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_devices.TryGetValue(device, out var account) ? _tenants.GetValueOrDefault(account) : null);

    /// <inheritdoc />
    public ValueTask<TenantInfo?> FindAsync(AccountId account, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_tenants.GetValueOrDefault(account));
}
