using Tlfs.Core.Paths;

namespace Tlfs.Core.Sealing;

/// <summary>Where a zone is (docs/protocol/statements.md §6.2).</summary>
/// <param name="Path">The zone is what is at or under it.</param>
/// <param name="IsMisplaced">True if it, or a zone it lies in, is not strictly below the one above: then it has no place, and its parts are void.</param>
internal sealed record ZonePlace(StoragePath Path, bool IsMisplaced)
{
    /// <summary>Zone 0: the whole document.</summary>
    public static ZonePlace Root { get; } = new(StoragePath.Root, false);

    /// <summary>The place of a zone by its opening and those of the zones it lies in, from the nearest up.</summary>
    public static ZonePlace Of(IReadOnlyList<PathOpening> chain)
    {
        var misplaced = false;
        for (var i = 0; i < chain.Count; i++)
        {
            var above = i + 1 < chain.Count ? chain[i + 1].Path : StoragePath.Root;
            misplaced |= chain[i].Path.Segments.Count <= above.Segments.Count || !above.Contains(chain[i].Path);
        }

        return new(chain[0].Path, misplaced);
    }
}
