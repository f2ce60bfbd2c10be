namespace Tlfs.Core;

/// <summary>
/// A refusal that the caller can understand and act on: a stable <see cref="Reason"/> and one sentence that says what to do.
/// Bugs throw other exceptions. The message never holds keys, tokens, or bytes from outside.
/// </summary>
public sealed class TlfsException : Exception
{
    /// <summary>A refusal with its reason and one line for a person.</summary>
    public TlfsException(Reason reason, string message)
        : base(message) => Reason = reason;

    /// <summary>A refusal caused by the environment (disk, network).</summary>
    public TlfsException(Reason reason, string message, Exception inner)
        : base(message, inner) => Reason = reason;

    /// <summary>The stable reason.</summary>
    public Reason Reason { get; }

    /// <summary>When a server said to try again; null if it said nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>True when trying again later may help without any change.</summary>
    public bool IsTransient => Reason is Reason.Unreachable or Reason.Unavailable or Reason.Busy or Reason.RateLimited
        or Reason.Timeout or Reason.QuotaExceeded or Reason.InboxFull or Reason.StorageFull;
}
