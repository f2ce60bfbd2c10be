using System.Collections;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>An array element that is shown.</summary>
internal readonly record struct ShownElement(Uid Element, Position Position);

/// <summary>The shown elements of an array in their order, found when asked for. It shows the state as it is at that moment.</summary>
internal sealed class ElementList(RadixEditor tree, byte[] prefix) : IReadOnlyList<ShownElement>
{
    public int Count => tree.CountUnder(prefix);

    public ShownElement this[int index] => tree.TryAt(prefix, index, out var entry)
        ? Read(entry)
        : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>The index of a shown element; the number of elements before that position if it is not shown.</summary>
    public int IndexOf(ShownElement element)
    {
        var key = new byte[prefix.Length + 2 + (2 * Limits.PositionBytes) + Uid.Size + 2];
        var whole = new StateKey(key, (StateTag)prefix[0], prefix.AsSpan(1)).Position(element.Position, element.Element).Bytes;
        return tree.Rank(prefix, whole);
    }

    public IEnumerator<ShownElement> GetEnumerator() => tree.Scan(prefix).Select(Read).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ShownElement Read(RadixEntry entry)
    {
        var (element, position) = StateKey.ReadOrder(entry.Key.Span[prefix.Length..]);
        return new(element, position);
    }
}
