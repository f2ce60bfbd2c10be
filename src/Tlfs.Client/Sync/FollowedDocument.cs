using Tlfs.Core;

namespace Tlfs.Client.Sync;

/// <summary>How a document stands in a watch of one server.</summary>
internal enum Following
{
    /// <summary>It is to be synchronised and followed.</summary>
    No,
    /// <summary>What happens to it arrives by itself.</summary>
    Yes,
    /// <summary>The stream has no place for it: it is synchronised from time to time.</summary>
    Polled,
}

/// <summary>One document of a <see cref="ServerWatch"/>, and when what did not work is tried again. One writes to it, another one reads.</summary>
internal sealed class FollowedDocument(ReplicaHome home)
{
    // What found no room is sent again soon at first, then seldom, since each attempt costs the server as much as a push that it takes; whoever makes room,
    // on another device or with another plan, does not tell.
    private static readonly TimeSpan FirstForRoom = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestHintForRoom = TimeSpan.FromHours(1);

    // For documents beyond those that a stream follows.
    private static readonly TimeSpan PollEvery = TimeSpan.FromMinutes(1);

    private volatile DocumentSync? _sync;
    private volatile Following _following;

    /// <summary>What takes the pages of its subscription and its receipts; null while it has not been synchronised.</summary>
    public DocumentSync? Sync => _sync;

    /// <summary>Whether it is followed.</summary>
    public Following Following => _following;

    /// <summary>True if the stream may still have a subscription to it that is not read any more.</summary>
    public bool HasLeftover { get; set; }

    /// <summary>When to begin again.</summary>
    public RetryTimer Begin { get; } = new(new(home.Options.Entropy, home.Options.Time, longest: Longest), home.Options.Time);

    /// <summary>When to send again what the server could not take.</summary>
    public RetryTimer Push { get; } = new(new(home.Options.Entropy, home.Options.Time), home.Options.Time);

    /// <summary>When to send again what found no room.</summary>
    public RetryTimer Room { get; } = new(new(home.Options.Entropy, home.Options.Time, FirstForRoom, Longest, LongestHintForRoom), home.Options.Time);

    /// <summary>The last problem that was told; the same is not told again.</summary>
    public Reason? Told { get; set; }

    /// <summary>How long it is until something is to be tried; null if nothing is.</summary>
    public TimeSpan? Left => _following switch
    {
        Following.Yes => LeftToPush,
        Following.Polled => LeftToPush is { } push && push < Begin.Left ? push : Begin.Left ?? TimeSpan.Zero,
        _ => Latest(Begin.Left, Room.Left) ?? TimeSpan.Zero,
    };

    private TimeSpan? LeftToPush => Latest(Push.Left, Room.Left);

    /// <summary>True if it is to be synchronised now.</summary>
    public bool MayBegin(bool edited) => _following switch
    {
        Following.Yes => false,
        Following.Polled => Begin.IsDue(edited: false),
        _ => Begin.IsDue(edited) && Room.IsDue(edited),
    };

    /// <summary>True if it is sent, when it is synchronised, what is unsent: not while that waits for room.</summary>
    public bool SendsAtBegin => _following != Following.Polled || Room.IsDue(edited: false);

    /// <summary>True if what is unsent is to be sent now.</summary>
    public bool MayPush(bool edited) => _following != Following.No && Push.IsDue(edited) && Room.IsDue(edited);

    /// <summary>Its subscription is about to be asked for.</summary>
    public void Follow(DocumentSync sync)
    {
        _sync = sync;
        _following = Following.Yes;
    }

    /// <summary>The stream has no place for it.</summary>
    public void Poll()
    {
        _following = Following.Polled;

        // It worked, so the time is not added to pauses that grow.
        Begin.Reset();
        Begin.Later(PollEvery);
    }

    /// <summary>It is not followed any more, and begins again after a while.</summary>
    /// <param name="hasLeftover">True if the subscription has not ended at the server.</param>
    /// <param name="hint">When the server said to come back.</param>
    public void Drop(bool hasLeftover, TimeSpan? hint = null)
    {
        HasLeftover |= hasLeftover;
        Begin.Later(hint);
        _following = Following.No;
        _sync = null;
    }

    private static TimeSpan? Latest(TimeSpan? left, TimeSpan? right) => left is null || right > left ? right : left;
}
