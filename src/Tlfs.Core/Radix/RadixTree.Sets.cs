namespace Tlfs.Core.Radix;

/// <summary>What two trees have in common and where they differ.</summary>
public sealed partial class RadixTree
{
    /// <summary>
    /// The keys under the prefix that two trees hold differently, ascending. Takes time proportional to the difference when the trees are versions
    /// of one another, or when both have been hashed.
    /// </summary>
    /// <param name="older">The tree that gives <see cref="RadixChange.Before"/>.</param>
    /// <param name="newer">The tree that gives <see cref="RadixChange.After"/>.</param>
    /// <param name="prefix">What the keys start with.</param>
    public static IEnumerable<RadixChange> Diff(RadixTree older, RadixTree newer, ReadOnlyMemory<byte> prefix)
    {
        foreach (var change in new NodeDiff(older.Root, newer.Root, prefix.Span).Changes()) yield return change;
    }

    /// <summary>The keys of either tree. A key of both has this tree's value.</summary>
    public RadixTree Union(RadixTree other)
    {
        var union = Edit();
        foreach (var change in Diff(this, other, default))
        {
            if (change is { Before: null, After: { } value }) union.Set(change.Key.Span, value.Span);
        }

        return union.Snapshot();
    }

    /// <summary>The keys of both trees, with this tree's values.</summary>
    public RadixTree Intersect(RadixTree other)
    {
        var intersection = Edit();
        foreach (var change in Diff(this, other, default))
        {
            if (change.After is null) intersection.Remove(change.Key.Span);
        }

        return intersection.Snapshot();
    }

    /// <summary>The entries of this tree whose keys the other one lacks.</summary>
    public RadixTree Except(RadixTree other)
    {
        var rest = Empty.Edit();
        foreach (var change in Diff(this, other, default))
        {
            if (change is { Before: { } value, After: null }) rest.Set(change.Key.Span, value.Span);
        }

        return rest.Snapshot();
    }
}
