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

    /// <summary>The schema version its operations follow; set once its part is open.</summary>
    internal SchemaHash Schema { get; private set; }

    /// <summary>Its operations; null until its part is open or if it does not open.</summary>
    internal IReadOnlyList<Operation>? Operations { get; private set; }

    /// <summary>The schema version that its part carries, if it is open and carries one.</summary>
    internal SchemaOperation? Carried => Operations is [SchemaOperation carried, ..] ? carried : null;

    /// <summary>Why its part never opens for any reader (envelope.md §3 steps 11 to 13); null if it may.</summary>
    internal Reason? Defect { get; private set; }

    /// <summary>True once the part was opened or found to be defective: neither changes any more.</summary>
    internal bool IsRead => Operations is not null || Defect is not null;

    /// <summary>Steps 11 to 13 of the receiver, and the decoding of the operations.</summary>
    internal void Read(Crypto.SecretKey contentKey)
    {
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

        Schema = content.Schema;
        Operations = operations;
    }
}
