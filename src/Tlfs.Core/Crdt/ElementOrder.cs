using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>
/// The places of array elements and the order that follows from them (docs/protocol/operations.md §4.3): all places that were ever made and not taken
/// back, and per array the shown elements by position.
/// </summary>
internal sealed class ElementOrder(RadixEditor tree, PartNumbers parts)
{
    /// <summary>Adds, takes away or changes a place, and moves the element accordingly if it exists.</summary>
    /// <param name="array">The array's path.</param>
    /// <param name="place">The place's operation.</param>
    /// <param name="dot">Its dot.</param>
    /// <param name="was">What it was before: null if it was not there, else whether it was live.</param>
    /// <param name="becomes">What it is now.</param>
    /// <param name="exists">Whether the element exists.</param>
    public void Change(ReadOnlySpan<byte> array, Place place, LocalDot dot, bool? was, bool? becomes, bool exists)
    {
        var before = exists ? Deciding(array, place.Element) : null;
        if (was is { } wasLive) tree.Remove(PlaceKey(array, place.Element, dot, wasLive, stackalloc byte[StateKey.Size(array)]));
        if (becomes is { } live) tree.Set(PlaceKey(array, place.Element, dot, live, stackalloc byte[StateKey.Size(array)]), place.Position.Bytes);
        var after = exists ? Deciding(array, place.Element) : null;
        if (before?.Position == after?.Position) return;
        if (before is { } old) tree.Remove(OrderKey(array, place.Element, old.Position, stackalloc byte[StateKey.Size(array)]));
        if (after is { } fresh) tree.Set(OrderKey(array, place.Element, fresh.Position, stackalloc byte[StateKey.Size(array)]), []);
    }

    /// <summary>True if the place is live; null if it is not there.</summary>
    public bool? IsLive(ReadOnlySpan<byte> array, Uid element, LocalDot dot)
    {
        if (tree.Contains(PlaceKey(array, element, dot, true, stackalloc byte[StateKey.Size(array)]))) return true;
        return tree.Contains(PlaceKey(array, element, dot, false, stackalloc byte[StateKey.Size(array)])) ? false : null;
    }

    /// <summary>Shows an element that began to exist, or hides one that ended to.</summary>
    public void Show(ReadOnlySpan<byte> array, Uid element, bool shown)
    {
        if (Deciding(array, element) is not { } place) return;
        var key = OrderKey(array, element, place.Position, stackalloc byte[StateKey.Size(array)]);
        if (shown) tree.Set(key, []);
        else tree.Remove(key);
    }

    /// <summary>What decides an element's position: the greatest live place, else the greatest place.</summary>
    public (LocalDot Dot, Position Position)? Deciding(ReadOnlySpan<byte> array, Uid element)
    {
        var prefix = new StateKey(stackalloc byte[StateKey.Size(array)], StateTag.Place, array).Segment(Segment.Of(element)).End().Bytes;
        if (!tree.TryLast(prefix, out var last)) return null;
        var dot = LocalDot.From(last.Key.Span[^LocalDot.Size..]);
        var length = last.Key.Length - LocalDot.Size + sizeof(ulong);
        if (tree.CountUnder(last.Key.Span[..length]) > 1) return Greatest(last.Key[..length]);
        return (dot, PositionOf(last.Value.Span));
    }

    /// <summary>The live places of an element.</summary>
    public List<LocalDot> Live(ReadOnlySpan<byte> array, Uid element)
    {
        var prefix = new StateKey(stackalloc byte[StateKey.Size(array)], StateTag.Place, array).Segment(Segment.Of(element)).End().Byte(1).Bytes.ToArray();
        return [.. tree.Scan(prefix).Select(entry => LocalDot.From(entry.Key.Span[^LocalDot.Size..]))];
    }

    /// <summary>True if anything is known of the element.</summary>
    public bool Knows(ReadOnlySpan<byte> array, Uid element) =>
        tree.CountUnder(new StateKey(stackalloc byte[StateKey.Size(array)], StateTag.Place, array).Segment(Segment.Of(element)).Bytes) > 0;

    /// <summary>The shown elements of an array.</summary>
    public ElementList Shown(ReadOnlySpan<byte> array) =>
        new(tree, new StateKey(stackalloc byte[StateKey.Size(array)], StateTag.Order, array).End().Bytes.ToArray());

    /// <summary>Position of a place as it is kept.</summary>
    public static Position PositionOf(ReadOnlySpan<byte> digits) =>
        Position.TryFrom(digits, out var position) ? position : throw new InvalidOperationException("not a position");

    // Envelopes whose ids begin with the same 8 bytes: only the whole dots tell.
    private (LocalDot Dot, Position Position) Greatest(ReadOnlyMemory<byte> prefix) => tree.Scan(prefix)
        .Select(entry => (Dot: LocalDot.From(entry.Key.Span[^LocalDot.Size..]), Position: PositionOf(entry.Value.Span)))
        .MaxBy(place => parts.Dot(place.Dot));

    private static ReadOnlySpan<byte> PlaceKey(ReadOnlySpan<byte> array, Uid element, LocalDot dot, bool live, Span<byte> buffer) =>
        new StateKey(buffer, StateTag.Place, array).Segment(Segment.Of(element)).End().Byte(live ? (byte)1 : (byte)0).Dot(dot).Bytes;

    private static ReadOnlySpan<byte> OrderKey(ReadOnlySpan<byte> array, Uid element, Position position, Span<byte> buffer) =>
        new StateKey(buffer, StateTag.Order, array).End().Position(position, element).Bytes;
}
