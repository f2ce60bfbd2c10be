using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Inbox;

/// <summary>How often strangers write: each of them, and all of them to one account (docs/protocol/sync.md §4.3).</summary>
internal sealed class StrangerLimiter(TimeProvider clock)
{
    private readonly TokenBuckets _senders = new(InboxLimits.SenderBurst, InboxLimits.SenderInterval, clock);
    private readonly TokenBuckets _recipients = new(InboxLimits.RecipientBurst, InboxLimits.RecipientInterval, clock);

    /// <summary>Counts a message.</summary>
    /// <exception cref="RefusedException"><see cref="Reason.RateLimited"/>, with when to try again.</exception>
    public void Take(PeerId sender, AccountId recipient)
    {
        if (!_senders.TryTake(sender.Value.ToArray(), 1, out var later) || !_recipients.TryTake(recipient.Value.ToArray(), 1, out later))
            throw new RefusedException(new(Reason.RateLimited, "too many messages from people who are no contacts; try again later") { RetryAfter = later });
    }
}
