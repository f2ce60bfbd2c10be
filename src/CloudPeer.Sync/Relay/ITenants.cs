using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>An account that the server stores documents for (sync.md §1.1).</summary>
/// <param name="Account">The account.</param>
/// <param name="QuotaBytes">Bytes it may store over all its documents; 0 is unlimited.</param>
/// <param name="MayWrite">False while its documents can only be read.</param>
public sealed record TenantInfo(AccountId Account, ulong QuotaBytes, bool MayWrite);

/// <summary>
/// Who is a tenant: implemented by the host's accounts. Asked once per push, so it should answer from memory; it may throw
/// <see cref="Tlfs.Core.TlfsException"/> with a transient reason.
/// </summary>
public interface ITenants
{
    /// <summary>The tenant that the device belongs to, or null.</summary>
    ValueTask<TenantInfo?> FindByDeviceAsync(PeerId device, CancellationToken cancellationToken);

    /// <summary>The tenant of an account, or null if it is none (any more).</summary>
    ValueTask<TenantInfo?> FindAsync(AccountId account, CancellationToken cancellationToken);
}
