using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Documents;

/// <summary>A moment in the life of a document, from which <see cref="Document.ChangesSince"/> tells what happened. Costs nothing to keep.</summary>
public sealed class DocumentMark
{
    internal DocumentMark(RadixTree version, PolicyView policy, Location? within)
    {
        Version = version;
        Policy = policy;
        Within = within;
    }

    internal RadixTree Version { get; }

    internal PolicyView Policy { get; }

    internal Location? Within { get; }
}

/// <summary>One thing that happened to a document.</summary>
/// <param name="Kind">What.</param>
/// <param name="Path">Where, by view path: in the document as it is now, or, for a remove, as it was. Grants are at <c>.</c>.</param>
/// <param name="Value">The JSON of what stands there now, or, for a remove, stood there; null for grants.</param>
/// <param name="From">Where an element that moved was before; else null.</param>
/// <param name="Author">Who did it, where one envelope did; null if it came about because one counts no longer.</param>
/// <param name="Grant">The grant of a <see cref="ChangeKind.Grant"/> or <see cref="ChangeKind.Revoke"/>.</param>
public sealed record DocumentChange(ChangeKind Kind, string Path, string? Value, string? From, PeerId? Author, GrantStatus? Grant);
