using System.Text.Json;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer user show|hold</c> (docs/operations/tenants.md).</summary>
internal static class UserCommand
{
    /// <summary>What an account is and uses here.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.NotFound"/>, or a database cannot be used.</exception>
    public static async Task ShowAsync(ServerSettings settings, TimeProvider clock, TextWriter output, string account, bool json, CancellationToken cancellationToken)
    {
        await using var scope = await OperatorScope.OpenAsync(settings, clock, cancellationToken);
        await WriteAsync(scope, output, await FindAsync(scope, account, cancellationToken), json, cancellationToken);
    }

    /// <summary>Sets what an account may do here; servers see it within <see cref="Accounts.AccountLimits.Remembered"/>.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>, <see cref="Reason.NotFound"/>, or a database cannot be used.</exception>
    public static async Task HoldAsync(
        ServerSettings settings, TimeProvider clock, TextWriter output, string account, string state, bool json, CancellationToken cancellationToken)
    {
        if (!TenantStateText.TryParse(state, out var wanted))
            throw new TlfsException(Reason.BadArgument, $"a state is one of {string.Join(", ", Enum.GetValues<TenantState>().Select(each => each.ToText()))}");
        await using var scope = await OperatorScope.OpenAsync(settings, clock, cancellationToken);
        var tenant = await FindAsync(scope, account, cancellationToken);
        await scope.Accounts.SetStateAsync(tenant.Account, wanted, cancellationToken);
        await WriteAsync(scope, output, tenant with { State = wanted }, json, cancellationToken);
    }

    private static async Task<TenantInfo> FindAsync(OperatorScope scope, string text, CancellationToken cancellationToken)
    {
        if (!Id.TryParse<AccountId>(text, out var account)) throw new TlfsException(Reason.BadArgument, "an account is named by acct_…");
        return await scope.Accounts.FindAsync(account, cancellationToken) ?? throw new TlfsException(Reason.NotFound, "no such account is registered here");
    }

    private static async Task WriteAsync(OperatorScope scope, TextWriter output, TenantInfo tenant, bool json, CancellationToken cancellationToken)
    {
        var usage = await scope.Store.FindUsageAsync(tenant.Account, cancellationToken);
        var (account, state, quota) = (tenant.Account.ToString(), tenant.State.ToText(), tenant.Limits.StorageBytes);
        await output.WriteLineAsync((json
            ? JsonSerializer.Serialize(new { account, state, used = usage.StoredBytes, quota, documents = usage.Documents })
            : $"{account}  {state}  {usage.StoredBytes} of {(quota == 0 ? "unlimited" : quota.ToString(System.Globalization.CultureInfo.InvariantCulture))} bytes  {usage.Documents} documents")
            .AsMemory(), cancellationToken);
    }
}
