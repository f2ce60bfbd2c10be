using System.Diagnostics.CodeAnalysis;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Whose chain a refused envelope does not continue, and where that chain ends here.</summary>
/// <param name="Author">The author.</param>
/// <param name="Seq">The author's last number here; 0 if there is none.</param>
/// <param name="Id">The author's last envelope here; zero if there is none.</param>
public sealed record ChainTip(PeerId Author, ulong Seq, EnvelopeId Id);

/// <summary>What of a tenant's plan is used up, at the time of a refusal.</summary>
/// <param name="Resource">Which limit was reached.</param>
/// <param name="Limit">What is allowed, in the resource's unit.</param>
/// <param name="Used">What is used, without what was refused.</param>
public sealed record QuotaUse(QuotaResource Resource, ulong Limit, ulong Used);

/// <summary>Why the relay did not do something (sync.md §2). Nothing of what was refused has been stored.</summary>
/// <param name="Reason">The stable reason.</param>
/// <param name="Message">One line for a person, without bytes from outside.</param>
public sealed record Refusal(Reason Reason, string Message)
{
    /// <summary>The envelopes that were refused: all of a bundle's that could be decoded. Empty for reads.</summary>
    public IReadOnlyList<EnvelopeId> Envelopes { get; init; } = [];

    /// <summary>Set with <see cref="Reason.ChainBehind"/> and <see cref="Reason.ChainBroken"/>.</summary>
    public ChainTip? Tip { get; init; }

    /// <summary>Set with <see cref="Reason.QuotaExceeded"/>.</summary>
    public QuotaUse? Quota { get; init; }

    /// <summary>When trying again makes sense; null when nothing is said about it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The server is busy with something that it is done with in a moment.</summary>
    /// <param name="message">What it is.</param>
    public static Refusal Busy(string message) => new(Reason.Unavailable, message) { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>An unknown document and a forbidden one answer alike (sync.md §1.5).</summary>
    public static Refusal NotFound { get; } = new(Reason.NotFound, "There is no such document here, or you may not know of it.");
}

/// <summary>Either a value or a refusal, never both and never neither.</summary>
/// <typeparam name="T">The value.</typeparam>
public sealed class Outcome<T>
    where T : class
{
    internal Outcome(T? value, Refusal? refusal)
    {
        Value = value;
        Refusal = refusal;
    }

    /// <summary>The value; null if refused.</summary>
    public T? Value { get; }

    /// <summary>The refusal; null if there is a value.</summary>
    public Refusal? Refusal { get; }

    /// <summary>True if there is a value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool Succeeded => Refusal is null;
}

/// <summary>Makes outcomes.</summary>
public static class Outcome
{
    /// <summary>Success.</summary>
    public static Outcome<T> Of<T>(T value)
        where T : class => new(value, null);

    /// <summary>Refusal.</summary>
    public static Outcome<T> Refused<T>(Refusal refusal)
        where T : class => new(null, refusal);
}
