using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>A part of an envelope in a document, with what is known about it.</summary>
internal sealed class HeldPart(PartHeader header, ushort index)
{
    /// <summary>What the envelope's header says of it.</summary>
    public PartHeader Header => header;

    /// <summary>Its place in the envelope.</summary>
    public ushort Index => index;

    public ZoneId Zone => header.Zone;

    /// <summary>What became of it, as of now.</summary>
    public Outcome Outcome { get; set; }

    /// <summary>True once it was opened or found to be defective: neither changes any more.</summary>
    public bool IsRead { get; private set; }

    /// <summary>Why it never opens for any reader (envelope.md §3 steps 11 to 13); null if it may.</summary>
    public Reason? Defect { get; private set; }

    /// <summary>True if it is open, so that it has operations.</summary>
    public bool IsOpen => IsRead && Defect is null;

    /// <summary>The schema version its operations follow; set once it is open.</summary>
    public SchemaHash Schema { get; private set; }

    /// <summary>The schema version that it carries, if it is open and carries one.</summary>
    public SchemaHash? Carried { get; private set; }

    /// <summary>True if it forwards operations of other parts.</summary>
    public bool Forwards { get; private set; }

    /// <summary>What is in it, while that is in memory.</summary>
    public OpenedPart? Content { get; private set; }

    /// <summary>The epoch for whose key it waits; zero if it waits for a schema; null if it waits for neither.</summary>
    public EnvelopeId? WaitsFor
    {
        get
        {
            if (!IsRead || Outcome.Status == EnvelopeStatus.KeyMissing) return header.Epoch;
            return Outcome.Reason == Reason.SchemaUnknown ? default(EnvelopeId) : null;
        }
    }

    /// <summary>What it was noted to wait for.</summary>
    public EnvelopeId? NotedWait { get; set; }

    public PartRecord Record => new(Outcome, IsRead, Defect, Schema, Carried, Forwards);

    public static HeldPart From(PartRecord record, PartHeader header, ushort index)
    {
        var part = new HeldPart(header, index)
        {
            Outcome = record.Outcome,
            IsRead = record.IsRead,
            Defect = record.Defect,
            Schema = record.Schema,
            Carried = record.Carried,
            Forwards = record.Forwards,
        };
        part.NotedWait = part.WaitsFor;
        return part;
    }

    /// <summary>Takes note of what is in it; this device may have just sealed it.</summary>
    public void Know(OpenedPart content)
    {
        IsRead = true;
        Content = content;
        Schema = content.Schema;
        Carried = content.Operations is [SchemaOperation carried, ..] ? carried.List.Hash : null;
        Forwards = content.Forwards.Count > 0;
    }

    /// <summary>Steps 11 to 13 of the receiver, and the decoding of the operations.</summary>
    public void Read(Envelope envelope, SecretKey contentKey)
    {
        IsRead = true;
        if (OpenedPart.TryOpen(envelope, index, contentKey, out var content, out var reason)) Know(content);
        else Defect = reason;
    }

    /// <summary>Gives the content away: once it is applied it is needed rarely, and takes much memory.</summary>
    public OpenedPart? TakeContent()
    {
        var content = Content;
        Content = null;
        return content;
    }
}
