using CloudPeer.Sync.Relay;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Wire;

/// <summary>Refusals of a part of a call (sync.md §2) between protobuf and the core; those of a whole call are <see cref="Refusals"/>.</summary>
public static class WireRefusal
{
    private const int MaxMessage = 400;

    /// <summary>A refusal as a message.</summary>
    public static V1.Refusal ToWire(this Refusal refusal)
    {
        var message = new V1.Refusal
        {
            Reason = refusal.Reason.ToUpperSnake(),
            Message = refusal.Message,
            Envelopes = { refusal.Envelopes.Select(id => id.ToWire()) },
            RetryAfterMillis = (uint)Math.Clamp(refusal.RetryAfter?.TotalMilliseconds ?? 0, 0, int.MaxValue),
        };
        if (refusal.Quota is { } quota) (message.Resource, message.Limit, message.Used) = (quota.Resource.ToText(), quota.Limit, quota.Used);
        if (refusal.Tip is { } tip) (message.Author, message.TipSeq, message.Tip) = (tip.Author.ToWire(), tip.Seq, tip.Id.ToWire());
        return message;
    }

    /// <summary>Reads a refusal. A reason that this version does not know becomes <see cref="Reason.Unsupported"/>; nothing else can fail.</summary>
    public static Refusal Read(V1.Refusal message)
    {
        if (!ReasonText.TryParseUpperSnake(message.Reason, out var reason)) reason = Reason.Unsupported;
        return new(reason, OneLine(message.Message))
        {
            Envelopes = [.. ReadEnvelopes(message)],
            RetryAfter = message.RetryAfterMillis > 0 ? TimeSpan.FromMilliseconds(message.RetryAfterMillis) : null,
            Quota = ReadQuota(message),
            Tip = WireIds.TryRead<PeerId>(message.Author, out var author) && WireIds.TryRead<EnvelopeId>(message.Tip, out var tip)
                ? new ChainTip(author, message.TipSeq, tip)
                : null,
        };
    }

    // A server that is older names no resource: it knew of storage only. One that is newer may name another.
    private static QuotaUse? ReadQuota(V1.Refusal message)
    {
        if (message.Limit == 0 && message.Resource.Length == 0) return null;
        return new(QuotaResourceText.TryParse(message.Resource, out var resource) ? resource : QuotaResource.Storage, message.Limit, message.Used);
    }

    // The text is the other end's: it is shown on one line and is never longer than a few.
    internal static string OneLine(string text) =>
        string.Concat(text.Take(MaxMessage).Select(letter => char.IsControl(letter) ? ' ' : letter));

    private static IEnumerable<EnvelopeId> ReadEnvelopes(V1.Refusal message)
    {
        foreach (var bytes in message.Envelopes)
            if (WireIds.TryRead<EnvelopeId>(bytes, out var id)) yield return id;
    }
}
