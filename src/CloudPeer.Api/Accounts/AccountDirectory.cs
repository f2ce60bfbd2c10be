using System.Collections.Concurrent;
using System.Collections.Immutable;
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

/// <summary>
/// The tenants of this server, their cards, and what they may use. What the relay asks at every push is answered from memory, and asked of the database again
/// every <see cref="AccountLimits.Remembered"/>, since another node, the operator's command or a plan may change it.
/// </summary>
internal sealed class AccountDirectory(IDbContextFactory<HostDatabase> databases, ServerSettings settings, TimeProvider clock) : ITenants
{
    private const int MaxRemembered = 100_000;

    private readonly ConcurrentDictionary<PeerId, Known> _byDevice = [];
    private readonly ConcurrentDictionary<AccountId, Known> _byAccount = [];

    /// <inheritdoc />
    public async ValueTask<TenantInfo?> FindByDeviceAsync(PeerId device, CancellationToken cancellationToken)
    {
        if (_byDevice.TryGetValue(device, out var known) && IsFresh(known)) return known.Tenant;
        return await ReadAsync(tenant => tenant.Device == device, cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask<TenantInfo?> FindAsync(AccountId account, CancellationToken cancellationToken)
    {
        if (_byAccount.TryGetValue(account, out var known) && IsFresh(known)) return known.Tenant;
        return await ReadAsync(tenant => tenant.Account == account, cancellationToken);
    }

    /// <summary>The account of a device, if it was asked for before; else null, without asking the database.</summary>
    public AccountId? Remembered(PeerId device) => _byDevice.TryGetValue(device, out var known) ? known.Tenant.Account : null;

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
        return await RememberAsync(database, await tenants.AsNoTracking().SingleOrDefaultAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Sets what an account may do; the operator's word, and later that of its plan.</summary>
    public async Task SetStateAsync(AccountId account, TenantState state, CancellationToken cancellationToken)
    {
        var text = state.ToText();
        await AskAsync(
            database => database.Set<Tenant>().Where(tenant => tenant.Account == account)
                .ExecuteUpdateAsync(set => set.SetProperty(tenant => tenant.State, text), cancellationToken),
            cancellationToken);
    }

    /// <summary>Bounds what the documents of an app may fill of an account's storage; 0 ends that.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.TooLarge"/>: the account has all the budgets it may have.</exception>
    public async Task<TenantInfo> SetBudgetAsync(TenantInfo tenant, string appId, long limitBytes, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);

        // The update makes another call for the same account wait until this one has counted.
        await database.Set<Tenant>().Where(each => each.Account == tenant.Account)
            .ExecuteUpdateAsync(set => set.SetProperty(each => each.Plan, each => each.Plan), cancellationToken);
        var budgets = database.Set<AppBudget>().Where(budget => budget.Account == tenant.Account);
        await budgets.Where(budget => budget.AppId == appId).ExecuteDeleteAsync(cancellationToken);
        if (limitBytes > 0)
        {
            if (await budgets.CountAsync(cancellationToken) >= AccountLimits.AppBudgets)
                throw new TlfsException(Reason.TooLarge, $"an account has at most {AccountLimits.AppBudgets} app budgets");
            database.Add(new AppBudget { Account = tenant.Account, AppId = appId, LimitBytes = limitBytes });
            await database.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return (await ReadAsync(each => each.Account == tenant.Account, cancellationToken))!;
    }

    private Task<Tenant?> FindTenantAsync(Expression<Func<Tenant, bool>> which, CancellationToken cancellationToken) =>
        AskAsync(database => database.Set<Tenant>().AsNoTracking().SingleOrDefaultAsync(which, cancellationToken), cancellationToken);

    private Task<TenantInfo?> ReadAsync(Expression<Func<Tenant, bool>> which, CancellationToken cancellationToken) => AskAsync(
        async database => await RememberAsync(database, await database.Set<Tenant>().AsNoTracking().SingleOrDefaultAsync(which, cancellationToken), cancellationToken),
        cancellationToken);

    private async Task<T> AskAsync<T>(Func<HostDatabase, Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            return await ask(database);
        }
        catch (Exception e) when (DatabaseFailure.IsUnavailable(e))
        {
            throw new TlfsException(Reason.Unavailable, "the server cannot use its store now; try again", e);
        }
    }

    private bool IsFresh(Known known) => clock.GetElapsedTime(known.Since) < AccountLimits.Remembered;

    private async Task<TenantInfo?> RememberAsync(HostDatabase database, Tenant? tenant, CancellationToken cancellationToken)
    {
        if (tenant is null) return null;
        var since = clock.GetTimestamp();
        var budgets = await database.Set<AppBudget>().AsNoTracking().Where(budget => budget.Account == tenant.Account).ToListAsync(cancellationToken);
        if (_byDevice.Count >= MaxRemembered)
        {
            _byDevice.Clear();
            _byAccount.Clear();
        }

        var known = new Known(Describe(tenant, budgets), since);
        _byDevice[tenant.Device] = known;
        _byAccount[tenant.Account] = known;
        return known.Tenant;
    }

    private TenantInfo Describe(Tenant tenant, List<AppBudget> budgets) => new(
        tenant.Account,
        TenantStateText.TryParse(tenant.State, out var state) ? state : throw new InvalidOperationException("A tenant's row has a state that no version knows."),
        settings.LocalPlan with { AppBytes = budgets.ToImmutableDictionary(budget => budget.AppId, budget => (ulong)budget.LimitBytes, StringComparer.Ordinal) })
    {
        Devices = [tenant.Device],
    };

    private sealed record Known(TenantInfo Tenant, long Since);
}
