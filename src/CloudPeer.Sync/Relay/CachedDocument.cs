using CloudPeer.Sync.Sessions;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>A document at one size of its log. Never changes, except that it remembers its signed head and that ids are learnt.</summary>
/// <param name="State">The row of the store.</param>
/// <param name="Policy">The statements of the log.</param>
/// <param name="Recent">The end of the log; shared by all sizes of the document.</param>
internal sealed record CachedDocument(DocumentState State, DocumentPolicy Policy, RecentEntries Recent)
{
    private LogHead? _head;

    /// <summary>What <see cref="ChangesElsewhere.Told"/> was before the row was read: later changes of other processes are not in it.</summary>
    public long AsOf { get; init; }

    /// <summary>When the log began, if one before it was deleted; else 0. Nothing about it is signed with an earlier time, or it would count as taken back.</summary>
    public ulong NotBefore { get; init; }

    /// <summary>What it costs to keep, in ids.</summary>
    public int Weight { get; } = 64 + State.Tips.Values.Sum(tip => 2 + (tip.Auth.Count / 2)) + Policy.Weight + Recent.Weight;

    /// <summary>
    /// True if the peer is served (sync.md §1.3): it has Sync in some zone, which is not asked while the log lacks what would give it; while the document is private
    /// it belongs to the tenant that hosts it, and while that tenant is suspended it is one of its devices (§6.1).
    /// </summary>
    public static bool Serves(DocumentState state, DocumentPolicy policy, PeerId peer, TenantInfo? tenant, TenantInfo? host) =>
        (state.Hosting == HostingState.Opening || policy.View.MayAnywhere(peer, Permission.Sync))
        && (!state.IsForHostOnly || tenant?.Account == state.Host)
        && (host?.State != TenantState.Suspended || host.Devices.Contains(peer));

    /// <summary>The head of the log at this size, signed once.</summary>
    public LogHead Head(SigningKey server, TimeProvider time) =>
        _head ??= LogHead.Sign(server, State.Document, State.Size, State.Log.Root, Now(time));

    /// <summary>The time with which something about the log is signed or noted.</summary>
    public ulong Now(TimeProvider time) => Math.Max(time.Micros(), NotBefore);
}
