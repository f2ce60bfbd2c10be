using System.Net;
using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// Token buckets (docs/operations/limits.md): for each device and each account for calls with a session and for stream frames, for each address for calls and
/// pages without, and for what devices without an account here call from it: a key costs nothing, so their number is no bound.
/// </summary>
internal sealed class CallLimiter(ServerSettings settings, AccountDirectory accounts, TimeProvider clock)
{
    /// <summary>How many more calls of devices without an account an address has than calls without a session.</summary>
    public const int StrangersFactor = 10;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly TokenBuckets? _peers = Buckets(settings.CallsPerSecond, clock);
    private readonly TokenBuckets? _accounts = Buckets(settings.AccountCallsPerSecond, clock);
    private readonly TokenBuckets? _addresses = Buckets(settings.AddressCallsPerSecond, clock);
    private readonly TokenBuckets? _strangers = Buckets(checked(settings.AddressCallsPerSecond * StrangersFactor), clock);

    /// <summary>Seconds after which a bucket that was used up is full again.</summary>
    public const int BurstSeconds = 10;

    /// <summary>Documents that one stream may be subscribed to.</summary>
    public int SubscriptionsPerStream { get; } = settings.MaxSubscriptions;

    /// <summary>Counts a call or frame of a device, and of the account that it is known to belong to, or else of its address.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>.</exception>
    public void Take(PeerId peer, IPAddress? address)
    {
        if (!TryTake(_peers, peer, 1)) throw TooMany();
        if (!(accounts.Remembered(peer) is { } account ? TryTake(_accounts, account, 1) : TryTake(_strangers, address))) throw TooMany();
    }

    /// <summary>Counts a call without a session.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>.</exception>
    public void TakeForAddress(IPAddress? address)
    {
        if (!TryTakeForAddress(address)) throw TooMany();
    }

    /// <summary>The same, for what has no refusals of that form.</summary>
    public bool TryTakeForAddress(IPAddress? address) => TryTake(_addresses, address);

    /// <summary>Counts a signature of a device that did not verify; never refuses by itself.</summary>
    public void CountBadSignature(PeerId peer) => Count(peer, ServerLimits.BadSignatureCalls);

    /// <summary>Counts work that a device made the server do as so many calls; never refuses by itself.</summary>
    public void Count(PeerId peer, long calls) => _peers?.Spend(peer.Value.ToArray(), (int)Math.Min(calls, int.MaxValue));

    /// <summary>
    /// Counts work of a device as so many calls, but as no more than a full bucket has; false, and nothing is counted, if it has none left. Those that it lacks it
    /// owes, and may call again when they have come back.
    /// </summary>
    public bool TryCount(PeerId peer, long calls) =>
        _peers?.TryOwe(peer.Value.ToArray(), (int)Math.Min(calls, (long)settings.CallsPerSecond * BurstSeconds)) ?? true;

    private static bool TryTake(TokenBuckets? buckets, IPAddress? address) => buckets?.TryTake(AddressNetwork.Of(address).GetAddressBytes(), 1, out _) ?? true;

    private static bool TryTake<T>(TokenBuckets? buckets, T who, int tokens)
        where T : struct, IId<T>
    {
        if (buckets is null) return true;
        Span<byte> key = stackalloc byte[Bytes32.Size];
        who.Value.CopyTo(key);
        return buckets.TryTake(key, tokens, out _);
    }

    private static TokenBuckets? Buckets(int perSecond, TimeProvider clock) =>
        perSecond == 0 ? null : new(checked(perSecond * BurstSeconds), TimeSpan.FromSeconds(1) / perSecond, clock);

    private static RefusedException TooMany() => new(new(Reason.RateLimited, "too many calls; slow down") { RetryAfter = RetryAfter });
}
