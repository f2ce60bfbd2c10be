using Tlfs.Core.Crdt;
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
        if (statement is not null) Statement = new(envelope.Id, Header.Document, Header.Author, Header.Seq, Header.Auth, statement);
    }

    /// <summary>The envelope.</summary>
    public Envelope Envelope { get; }

    /// <summary>Its statement, if it is a policy envelope.</summary>
    public PolicyStatement? Statement { get; }

    /// <summary>What became of it, as of now.</summary>
    public Outcome Outcome { get; internal set; }

    internal EnvelopeHeader Header { get; }

    internal EnvelopeId Id => Envelope.Id;

    /// <summary>Its place in the document's log, from 0.</summary>
    internal int Number { get; set; }

    /// <summary>Its row in the store; 0 while it is in none.</summary>
    internal long Row { get; set; }

    /// <summary>The schema version its operations follow; set once its part is open.</summary>
    internal SchemaHash Schema { get; private set; }

    /// <summary>Its operations, while they are in memory.</summary>
    internal IReadOnlyList<Operation>? Operations { get; private set; }

    /// <summary>The schema version that its part carries, if it is open and carries one.</summary>
    internal SchemaHash? Carried { get; private set; }

    /// <summary>Why its part never opens for any reader (envelope.md §3 steps 11 to 13); null if it may.</summary>
    internal Reason? Defect { get; private set; }

    /// <summary>True once the part was opened or found to be defective: neither changes any more.</summary>
    internal bool IsRead { get; private set; }

    /// <summary>True if the part is open, so that it has operations.</summary>
    internal bool IsOpen => IsRead && Defect is null;

    /// <summary>The record as it was written last.</summary>
    internal EnvelopeRecord? Saved { get; set; }

    internal EnvelopeRecord Record => new(Id, Row, Outcome, IsRead, Defect, Schema, Carried);

    /// <summary>The envelope as a record says it was left.</summary>
    internal static HeldEnvelope From(EnvelopeRecord record, Envelope envelope, Statement? statement, int number) => new(envelope, statement)
    {
        Number = number,
        Row = record.Row,
        Outcome = record.Outcome,
        IsRead = record.IsRead,
        Defect = record.Defect,
        Schema = record.Schema,
        Carried = record.Carried,
        Saved = record,
    };

    /// <summary>Takes note of operations that are known without opening the part, because this device has just sealed it.</summary>
    internal void Know(SchemaHash schema, IReadOnlyList<Operation> operations)
    {
        IsRead = true;
        Schema = schema;
        Operations = operations;
        Carried = operations is [SchemaOperation carried, ..] ? carried.List.Hash : null;
    }

    /// <summary>Gives the operations away: once they are applied they are needed rarely, and take much memory.</summary>
    internal IReadOnlyList<Operation>? TakeOperations()
    {
        var operations = Operations;
        Operations = null;
        return operations;
    }

    /// <summary>Steps 11 to 13 of the receiver, and the decoding of the operations.</summary>
    internal void Read(Crypto.SecretKey contentKey)
    {
        IsRead = true;
        if (!PartContent.TryOpen(Envelope, 0, contentKey, out var content, out var reason))
        {
            Defect = reason;
            return;
        }

        var operations = new List<Operation>(content.Operations.Count);
        foreach (var bytes in content.Operations)
        {
            // A schema travels first or not at all.
            if (!Operation.TryDecode(bytes, out var operation, out _) || (operation is SchemaOperation && operations.Count > 0))
            {
                Defect = Reason.BadOperations;
                return;
            }

            operations.Add(operation);
        }

        Know(content.Schema, operations);
    }
}
