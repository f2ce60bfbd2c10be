using Tlfs.Core.Crdt;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

/// <summary>A delta of this device that it took back before anybody else had it, as a replica keeps it until it is written again.</summary>
/// <param name="Envelope">What the delta was.</param>
/// <param name="Seq">The number that it had in this device's chain.</param>
/// <param name="Reason">Why it was withdrawn.</param>
/// <param name="Micros">When, in microseconds since 1970.</param>
/// <param name="Bytes">Its operations, part by part, not sealed: the key may have been withdrawn with them.</param>
public sealed record WithdrawnEdit(EnvelopeId Envelope, ulong Seq, Reason Reason, ulong Micros, ReadOnlyMemory<byte> Bytes)
{
    internal static WithdrawnEdit Of(HeldEnvelope held, IReadOnlyList<IReadOnlyList<Operation>> parts, Reason reason, ulong micros) => new(
        held.Id, held.Header.Seq, reason, micros, Canonical.Encode(writer => writer.Array(parts, part => writer.Array(part, operation => operation.Write(writer)))));

    internal IReadOnlyList<IReadOnlyList<Operation>> Operations() =>
        Canonical.TryDecode(Bytes, Limits.EnvelopeBytes, Read, out var parts, out var error) ? parts : throw LoadedDocument.Damaged(error.Detail);

    private static IReadOnlyList<IReadOnlyList<Operation>> Read(CanonicalReader reader) =>
        reader.Array(Limits.Parts, () => (IReadOnlyList<Operation>)reader.Array(Limits.Operations, () => Operation.Read(reader)));
}

/// <summary>What was withdrawn.</summary>
/// <param name="Deltas">Deltas; they are kept and can be written again.</param>
/// <param name="Statements">Grants, revocations and keys; they are not kept: make them again where they are still wanted.</param>
public sealed record Withdrawal(int Deltas, int Statements);
