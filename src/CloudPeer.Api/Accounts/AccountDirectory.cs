using System.Collections.Concurrent;
using System.Linq.Expressions;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Sessions;
using Microsoft.EntityFrameworkCore;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Accounts;

/// <summary>The tenants of this server and their cards. What the relay asks at every push is answered from memory.</summary>
internal sealed class AccountDirectory(IDbContextFactory<HostDatabase> databases, ServerSettings settings, TimeProvider clock) : ITenants
{
    private const int MaxRemembered = 100_000;

    // A tenant's account, device and plan never change, so what was found once is right, also when another node serves the next call.
    private readonly ConcurrentDictionary<PeerId, TenantInfo> _byDevice = [];
    private readonly ConcurrentDictionary<AccountId, TenantInfo> _byAccount = [];

    /// <inheritdoc />
    public async ValueTask<TenantInfo?> FindByDeviceAsync(PeerId device, CancellationToken cancellationToken)
    {
        if (_byDevice.TryGetValue(device, out var known)) return known;
        return Remember(await FindTenantAsync(tenant => tenant.Device == device, cancellationToken));
    }

    /// <inheritdoc />
    public async ValueTask<TenantInfo?> FindAsync(AccountId account, CancellationToken cancellationToken)
    {
        if (_byAccount.TryGetValue(account, out var known)) return known;
        return Remember(await FindTenantAsync(tenant => tenant.Account == account, cancellationToken));
    }

    /// <summary>The account of a device, if it was asked for before; else null, without asking the database.</summary>
    public AccountId? Remembered(PeerId device) => _byDevice.TryGetValue(device, out var known) ? known.Account : null;

    /// <summary>The card of an account that is a tenant here, or null.</summary>
    public async Task<byte[]?> FindCardAsync(AccountId account, CancellationToken cancellationToken) =>
        (await FindTenantAsync(tenant => tenant.Account == account, cancellationToken))?.Card;

    /// <summary>The card of the tenant whose device this is, or null.</summary>
    public async Task<byte[]?> FindCardAsync(PeerId device, CancellationToken cancellationToken) =>
        (await FindTenantAsync(tenant => tenant.Device == device, cancellationToken))?.Card;

    /// <summary>Makes the account a tenant, or updates the card of one; the same card twice is one.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.RegistrationClosed"/>, or the device belongs to another account here.</exception>
    public async Task<TenantInfo> RegisterAsync(AccountCard card, string? appId, CancellationToken cancellationToken)
    {
        var known = await UpdateCardAsync(card, cancellationToken);
        if (known is not null) return known;
        if (!settings.RegistrationOpen) throw new TlfsException(Reason.RegistrationClosed, "this server does not accept new accounts");
        await AddAsync(card, appId, cancellationToken);
        // Somebody else may have added it at the same moment; what counts is what the database holds now.
        return await UpdateCardAsync(card, cancellationToken)
            ?? throw new TlfsException(Reason.BadArgument, "this device belongs to another account here");
    }

    private async Task AddAsync(AccountCard card, string? appId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        database.Add(new Tenant
        {
            Account = card.Account,
            Device = card.Device,
            Card = card.Bytes.ToArray(),
            KemGeneration = card.KemGeneration,
            AppId = appId,
            Plan = Tenant.LocalPlan,
            CreatedMicros = (long)clock.Micros(),
        });
        try
        {
            await database.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (DatabaseFailure.IsUniqueViolation(e))
        {
        }
    }

    private async Task<TenantInfo?> UpdateCardAsync(AccountCard card, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var tenants = database.Set<Tenant>().Where(tenant => tenant.Account == card.Account);
        var bytes = card.Bytes.ToArray();
        await tenants.Where(tenant => tenant.KemGeneration < card.KemGeneration).ExecuteUpdateAsync(
            set => set.SetProperty(tenant => tenant.Card, bytes).SetProperty(tenant => tenant.KemGeneration, (long)card.KemGeneration),
            cancellationToken);
        return Remember(await tenants.AsNoTracking().SingleOrDefaultAsync(cancellationToken));
    }

    private async Task<Tenant?> FindTenantAsync(Expression<Func<Tenant, bool>> which, CancellationToken cancellationToken)
    {
        try
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            return await database.Set<Tenant>().AsNoTracking().SingleOrDefaultAsync(which, cancellationToken);
        }
        catch (Exception e) when (DatabaseFailure.IsUnavailable(e))
        {
            throw new TlfsException(Reason.Unavailable, "the server cannot use its store now; try again", e);
        }
    }

    private TenantInfo? Remember(Tenant? tenant)
    {
        if (tenant is null) return null;
        var info = new TenantInfo(tenant.Account, (ulong)settings.LocalPlanBytes, MayWrite: true);
        if (_byDevice.Count >= MaxRemembered)
        {
            _byDevice.Clear();
            _byAccount.Clear();
        }

        _byDevice[tenant.Device] = info;
        return _byAccount[tenant.Account] = info;
    }
}
