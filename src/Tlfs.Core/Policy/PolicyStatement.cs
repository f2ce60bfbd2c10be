using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>A verified policy envelope, as far as the evaluation needs it (docs/protocol/statements.md §4).</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Document">Its document.</param>
/// <param name="Author">Who signed it.</param>
/// <param name="Seq">Its number on the author's chain, from 1.</param>
/// <param name="Auth">The heads of the statements the author had evaluated.</param>
/// <param name="Body">What it says.</param>
public sealed record PolicyStatement(
    EnvelopeId Id, DocId Document, PeerId Author, ulong Seq, IReadOnlyList<EnvelopeId> Auth, Statement Body);
