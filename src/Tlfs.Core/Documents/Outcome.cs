namespace Tlfs.Core.Documents;

/// <summary>What became of an envelope (docs/protocol/envelope.md §3.1). The four ways not to be applied must not be confused.</summary>
public enum EnvelopeStatus
{
    /// <summary>Never enters a replica; the same for everybody.</summary>
    Invalid,
    /// <summary>Waits for other envelopes and is not held yet.</summary>
    Pending,
    /// <summary>Held; waits for a key.</summary>
    KeyMissing,
    /// <summary>Held and counts for nothing.</summary>
    Void,
    /// <summary>Held and in effect.</summary>
    Applied,
}

/// <summary>What became of an envelope, and why if it is not in effect.</summary>
/// <param name="Status">The status.</param>
/// <param name="Reason">The reason, unless the envelope is applied.</param>
/// <param name="Why">One sentence for a person, where there is more to say than the reason.</param>
public readonly record struct Outcome(EnvelopeStatus Status, Reason? Reason = null, string? Why = null)
{
    /// <summary>The envelope is in effect.</summary>
    public static Outcome Applied => new(EnvelopeStatus.Applied);

    /// <summary>True if the replica keeps the envelope.</summary>
    public bool IsHeld => Status is EnvelopeStatus.Applied or EnvelopeStatus.Void or EnvelopeStatus.KeyMissing;

    internal static Outcome Invalid(Core.Reason reason) => new(EnvelopeStatus.Invalid, reason);

    internal static Outcome Pending(Core.Reason reason) => new(EnvelopeStatus.Pending, reason);

    internal static Outcome KeyMissing(Core.Reason reason) => new(EnvelopeStatus.KeyMissing, reason);

    internal static Outcome Void(Core.Reason reason, string? why = null) => new(EnvelopeStatus.Void, reason, why);
}
