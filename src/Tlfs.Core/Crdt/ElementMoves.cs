using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>Which of the elements that have another position in a newer version have moved, and which have only made room.</summary>
internal static class ElementMoves
{
    /// <summary>
    /// The elements that come, go or move; the others, and all that kept their position, stand in the same order in both versions. An element that stands
    /// between the same unchanged ones as before stays, as long as those that stay keep their order among themselves.
    /// </summary>
    public static IEnumerable<Uid> Needed(DocumentState older, DocumentState newer, StoragePath array, IReadOnlyCollection<Uid> changed)
    {
        var before = Ranks(older, array, changed);
        var now = Ranks(newer, array, changed);
        var last = -1;
        foreach (var (element, place) in now.OrderBy(each => each.Value.Index))
        {
            if (before.TryGetValue(element, out var was) && was.Rank == place.Rank && was.Index > last) last = was.Index;
            else yield return element;
        }

        foreach (var element in before.Keys.Where(element => !now.ContainsKey(element))) yield return element;
    }

    // Each changed element's index, and how many unchanged ones stand before it.
    private static Dictionary<Uid, (int Index, int Rank)> Ranks(DocumentState state, StoragePath array, IEnumerable<Uid> changed)
    {
        var shown = changed.Where(element => state.Shows(array.Append(Segment.Of(element))))
            .Select(element => (Element: element, Index: state.IndexOf(array, element))).OrderBy(each => each.Index);
        return shown.Select((each, before) => (each.Element, each.Index, Rank: each.Index - before)).ToDictionary(each => each.Element, each => (each.Index, each.Rank));
    }
}
