using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>What is in a part, decoded.</summary>
/// <param name="Schema">The schema version that its operations follow.</param>
/// <param name="Operations">The operations.</param>
/// <param name="Openings">The paths of the narrowed grants that its author relies on.</param>
/// <param name="Forwards">Operations of other parts.</param>
internal sealed record OpenedPart(
    SchemaHash Schema, IReadOnlyList<Operation> Operations, IReadOnlyList<Opening> Openings, IReadOnlyList<Forward> Forwards)
{
    public static OpenedPart Of(SchemaHash schema, IReadOnlyList<Operation> operations) => new(schema, operations, [], []);

    /// <summary>Opens a part under the content key of its epoch. The reason on failure is the same for every reader.</summary>
    public static bool TryOpen(Envelope envelope, int index, SecretKey contentKey, [NotNullWhen(true)] out OpenedPart? opened, out Reason reason)
    {
        opened = null;
        if (!PartContent.TryOpen(envelope, index, contentKey, out var content, out reason)) return false;
        reason = Reason.BadOperations;
        var operations = new List<Operation>(content.Operations.Count);
        foreach (var bytes in content.Operations)
        {
            // A schema travels first or not at all.
            if (!Operation.TryDecode(bytes, out var operation, out _) || (operation is SchemaOperation && operations.Count > 0)) return false;
            operations.Add(operation);
        }

        opened = new(content.Schema, operations, content.Openings, content.Forwards);
        return true;
    }
}
