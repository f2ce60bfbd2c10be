using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Client;

/// <summary>What an account may use at a server and does use (docs/protocol/sync.md §1.1).</summary>
/// <param name="Account">The account.</param>
/// <param name="Plan">The plan's name.</param>
/// <param name="QuotaBytes">Bytes it may store; 0 is unlimited.</param>
/// <param name="UsedBytes">Bytes it stores.</param>
/// <param name="SignUpUrl">Where to get a plan, if one is needed first.</param>
public sealed record Entitlement(AccountId Account, string Plan, ulong QuotaBytes, ulong UsedBytes, string? SignUpUrl);
