namespace CloudPeer.Api.Tests.Access;

/// <summary>What docs/protocol/access.md says already and the server does not do yet. Both lists become empty, and then this file goes.</summary>
internal static class Unfinished
{
    /// <summary>Calls that answer <c>unimplemented</c>.</summary>
    public static readonly HashSet<string> Calls = new(
        ["Account.GetUsage", "Account.SetAppBudget", "Sync.GetHead", "Sync.Reconcile", "Sync.Ack", "Sync.GetDelivered", "Sync.DeleteDocument"], StringComparer.Ordinal);

    /// <summary>Columns whose callers cannot be made.</summary>
    public static readonly HashSet<string> Roles = new(["suspended"], StringComparer.Ordinal);
}
