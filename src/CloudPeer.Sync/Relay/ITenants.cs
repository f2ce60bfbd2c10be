using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>What a tenant may do with its storage (sync.md §6.1). Deleting is always allowed, and what a plan allows is in its limits.</summary>
public enum TenantState
{
    /// <summary>Everything, within the limits.</summary>
    Active,
    /// <summary>Its own devices store nothing; what others send is stored within the limits.</summary>
    ReadOnly,
    /// <summary>Nothing more is stored; everybody reads.</summary>
    ExportOnly,
    /// <summary>Nothing more is stored, and for everybody but its own devices its documents are not there.</summary>
    Suspended,
}

/// <summary>The text form of a <see cref="TenantState"/>, as it travels and as an operator writes it.</summary>
public static class TenantStateText
{
    private static readonly string[] Texts = ["active", "read-only", "export-only", "suspended"];

    /// <summary>For example <c>read-only</c>.</summary>
    public static string ToText(this TenantState state) => Texts[(int)state];

    /// <summary>Reads <see cref="ToText"/> back; false for text that names no state.</summary>
    public static bool TryParse(string text, out TenantState state)
    {
        var place = Array.FindIndex(Texts, known => string.Equals(known, text, StringComparison.Ordinal));
        state = place < 0 ? default : (TenantState)place;
        return place >= 0;
    }
}

/// <summary>An account that the server stores documents for (sync.md §1.1).</summary>
/// <param name="Account">The account.</param>
/// <param name="State">What it may do now.</param>
/// <param name="Limits">What its plan allows.</param>
public sealed record TenantInfo(AccountId Account, TenantState State, TenantLimits Limits)
{
    /// <summary>Its own devices: no share of the room is too large for them.</summary>
    public ImmutableHashSet<PeerId> Devices { get; init; } = [];

    /// <summary>True if a push of this device may be stored in the tenant's documents, as far as the state decides that.</summary>
    public bool TakesFrom(PeerId pusher) => State == TenantState.Active || (State == TenantState.ReadOnly && !Devices.Contains(pusher));
}

/// <summary>
/// Who is a tenant and what it may use: implemented by the host's accounts, and the one place where payments reach the relay. Asked at every push and
/// every read, so it should answer from memory, also that there is none; a change must be seen within a minute. It may throw <see cref="Tlfs.Core.TlfsException"/> with a transient reason.
/// </summary>
public interface ITenants
{
    /// <summary>The tenant that the device belongs to, or null.</summary>
    ValueTask<TenantInfo?> FindByDeviceAsync(PeerId device, CancellationToken cancellationToken);

    /// <summary>The tenant of an account, or null if it is none (any more).</summary>
    ValueTask<TenantInfo?> FindAsync(AccountId account, CancellationToken cancellationToken);
}
