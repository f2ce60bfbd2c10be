using Tlfs.Core.Ids;

namespace Tlfs.Core.Crdt;

/// <summary>Where new elements of an array go, and which of its elements must move a little to make room.</summary>
/// <param name="Added">The positions of the new elements.</param>
/// <param name="Moved">Elements that are there, in order, and their new positions.</param>
internal sealed record Arrangement(IReadOnlyList<Position> Added, IReadOnlyList<(Uid Element, Position Position)> Moved)
{
    /// <summary>How many elements on each side may move when there is no room.</summary>
    private const int Radius = 32;

    /// <summary>
    /// Finds room for <paramref name="count"/> elements before number <paramref name="index"/>. Elements after it that are at the same position as the
    /// one before it have to move; if that is not enough, the 64 elements around are spread again, all at once so that the room lasts. Null if that
    /// is not enough either.
    /// </summary>
    public static Arrangement? Find(IReadOnlyList<ShownElement> elements, int index, int count)
    {
        var end = index;
        while (index > 0 && end < elements.Count && elements[end].Position == elements[index - 1].Position) end++;
        return Spread(elements, index, end, index, count)
            ?? Spread(elements, Math.Max(0, index - Radius), Math.Min(elements.Count, index + Radius), index, count);
    }

    /// <summary>Spreads the new elements and those from <paramref name="start"/> up to <paramref name="end"/> evenly between their neighbours.</summary>
    private static Arrangement? Spread(IReadOnlyList<ShownElement> elements, int start, int end, int index, int count)
    {
        Position? lower = start > 0 ? elements[start - 1].Position : null;
        Position? upper = end < elements.Count ? elements[end].Position : null;
        if (Positions.Between(lower, upper, count + end - start) is not { } positions) return null;
        var moved = new List<(Uid, Position)>(end - start);
        for (var i = start; i < end; i++) moved.Add((elements[i].Element, positions[i < index ? i - start : i - start + count]));
        return new(positions[(index - start)..(index - start + count)], moved);
    }
}
