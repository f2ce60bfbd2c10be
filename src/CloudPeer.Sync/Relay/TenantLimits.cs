using System.Collections.Immutable;

namespace CloudPeer.Sync.Relay;

/// <summary>What a tenant's plan allows (sync.md §6.2). 0 is always: no limit.</summary>
public sealed record TenantLimits
{
    /// <summary>The share of the room that one author may use who is none of the tenant's own devices, unless the plan says otherwise.</summary>
    public const int DefaultAuthorPercent = 50;

    /// <summary>No limit at all.</summary>
    public static TenantLimits None { get; } = new();

    /// <summary>Bytes of all envelopes of its documents.</summary>
    public ulong StorageBytes { get; init; }

    /// <summary>Its documents.</summary>
    public ulong Documents { get; init; }

    /// <summary>Envelopes stored in its documents between two midnights UTC.</summary>
    public ulong EnvelopesPerDay { get; init; }

    /// <summary>Its devices with an open stream, at one server process.</summary>
    public ulong Devices { get; init; }

    /// <summary>Messages that wait in its inbox.</summary>
    public ulong InboxMessages { get; init; }

    /// <summary>Percent of <see cref="StorageBytes"/> that one author may use who is none of the tenant's own devices; 0 or 100 for all of it.</summary>
    public int AuthorPercent { get; init; } = DefaultAuthorPercent;

    /// <summary>Bytes that the documents of an app may use, for the apps that the account has set a budget for.</summary>
    public ImmutableDictionary<string, ulong> AppBytes { get; init; } = ImmutableDictionary<string, ulong>.Empty;

    /// <summary>Bytes that one author may use who is none of the tenant's own devices.</summary>
    public ulong AuthorBytes => AuthorPercent is <= 0 or >= 100
        ? 0
        : StorageBytes / 100 * (ulong)AuthorPercent + StorageBytes % 100 * (ulong)AuthorPercent / 100;

    /// <summary>The shares of the room that some limit is about.</summary>
    public ShareKinds Shares => (AuthorBytes > 0 ? ShareKinds.Authors : ShareKinds.None) | (AppBytes.IsEmpty ? ShareKinds.None : ShareKinds.Apps);
}
