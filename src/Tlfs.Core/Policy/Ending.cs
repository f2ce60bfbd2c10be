namespace Tlfs.Core.Policy;

/// <summary>A revocation or renounce with the grants it names.</summary>
/// <param name="Entry">The statement.</param>
/// <param name="Target">The grant that ends; null if the statement is not structural.</param>
/// <param name="Proof">The grant that gives the right; null for the document's authority.</param>
/// <param name="Structure"><see cref="Verdict.Counts"/> if structural (docs/protocol/statements.md §4.2, §4.3).</param>
internal sealed record Ending(Entry Entry, GrantNode? Target, GrantNode? Proof, Verdict Structure)
{
    public bool IsRenounce => Entry.Statement.Body is Renounce;
}
