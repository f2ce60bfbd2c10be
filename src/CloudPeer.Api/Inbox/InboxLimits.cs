using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Inbox;

/// <summary>The bounds of an inbox (docs/operations/limits.md); each has a test at the limit and one past it.</summary>
internal static class InboxLimits
{
    /// <summary>Messages of contacts that wait for one account.</summary>
    public const int Contacts = 200;

    /// <summary>Messages of one contact's device that wait for one account.</summary>
    public const int PerContact = 20;

    /// <summary>Bytes of contacts' messages that wait for one account.</summary>
    public const int ContactBytes = 2 << 20;

    /// <summary>Messages of strangers that wait for one account.</summary>
    public const int Strangers = 20;

    /// <summary>Messages of one stranger that wait for one account, so that one alone does not keep the others out.</summary>
    public const int PerStranger = 5;

    /// <summary>Bytes of strangers' messages that wait for one account.</summary>
    public const int StrangerBytes = 256 << 10;

    /// <summary>Messages that one call acknowledges: all that can wait.</summary>
    public const int PerAck = Contacts + Strangers;

    /// <summary>Messages that a device sends as a stranger at once; one more each <see cref="SenderInterval"/>.</summary>
    public const int SenderBurst = 20;

    /// <summary>Messages of strangers that an account is sent at once; one more each <see cref="RecipientInterval"/>.</summary>
    public const int RecipientBurst = 40;

    /// <summary>When a stranger may send one more.</summary>
    public static readonly TimeSpan SenderInterval = TimeSpan.FromMinutes(3);

    /// <summary>When an account may be sent one more by a stranger.</summary>
    public static readonly TimeSpan RecipientInterval = TimeSpan.FromSeconds(90);

    /// <summary>Messages of either kind that wait for an account with these limits, at most.</summary>
    public static int Of(TenantLimits limits) => limits.InboxMessages is 0 or > Contacts ? Contacts : (int)limits.InboxMessages;

    /// <summary>How long a message waits.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);
}
