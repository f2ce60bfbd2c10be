using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>An envelope in a document, with what is known about it.</summary>
public sealed class HeldEnvelope
{
    internal HeldEnvelope(Envelope envelope, Statement? statement)
    {
        Envelope = envelope;
        Header = envelope.Header;
        Parts = [.. Header.Parts.Select((part, i) => new HeldPart(part, (ushort)i))];
        if (statement is not null) Statement = new(envelope.Id, Header.Document, Header.Author, Header.Seq, Header.Auth, statement);
    }

    /// <summary>The envelope, as far as it is here: parts may be withheld.</summary>
    public Envelope Envelope { get; private set; }

    /// <summary>Its statement, if it is a policy envelope.</summary>
    public PolicyStatement? Statement { get; }

    /// <summary>What became of it, as of now. Of several parts that differ, what is void comes before what waits, and that before what is applied.</summary>
    public Outcome Outcome { get; internal set; }

    internal EnvelopeHeader Header { get; }

    internal EnvelopeId Id => Envelope.Id;

    internal IReadOnlyList<HeldPart> Parts { get; }

    /// <summary>Its place in the document's log, from 0.</summary>
    internal int Number { get; set; }

    /// <summary>Its row in the store; 0 while it is in none.</summary>
    internal long Row { get; set; }

    /// <summary>True if the store has all of it that is here.</summary>
    internal bool IsStored { get; set; }

    /// <summary>True if nothing of it counts, whatever keys may arrive: its author had no right.</summary>
    internal bool IsUnauthorised => Parts.Count == 0 ? Refused(Outcome) : Parts.All(part => Refused(part.Outcome));

    /// <summary>The record as it was written last.</summary>
    internal EnvelopeRecord? Saved { get; set; }

    internal EnvelopeRecord Record => new(Id, Row, Outcome, [.. Parts.Select(part => part.Record)]);

    /// <summary>The envelope as a record says it was left.</summary>
    internal static HeldEnvelope From(EnvelopeRecord record, Envelope envelope, Statement? statement, int number) => new(envelope, statement, record)
    {
        Number = number,
        Row = record.Row,
        IsStored = true,
        Outcome = record.Outcome,
        Saved = record,
    };

    private HeldEnvelope(Envelope envelope, Statement? statement, EnvelopeRecord record)
        : this(envelope, statement) => Parts = [.. record.Parts.Select((part, i) => HeldPart.From(part, Header.Parts[i], (ushort)i))];

    /// <summary>Takes the parts that another copy has and this one lacks; false if there are none.</summary>
    internal bool Fill(Envelope copy)
    {
        if (Parts.All(part => Envelope.Has(part.Index) || !copy.Has(part.Index))) return false;
        Envelope = Envelope.With(copy);
        IsStored = false;
        return true;
    }

    private static bool Refused(Outcome outcome) => outcome is { Status: EnvelopeStatus.Void, Reason: Reason.NotAuthorised or Reason.Equivocation };
}
