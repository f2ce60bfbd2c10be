using System.Numerics;

namespace Tlfs.Core.Policy;

/// <summary>
/// An immutable set of statements by their dense numbers, in pages that sets share. The past of a statement differs from that of the
/// statement before it in one page as a rule, so 65,536 pasts take tens of megabytes instead of hundreds.
/// </summary>
internal sealed class StatementSet
{
    private const int PageBits = 2048;
    private const int PageWords = PageBits / 64;

    private readonly ulong[]?[] _pages;

    private StatementSet(ulong[]?[] pages) => _pages = pages;

    public static StatementSet Empty { get; } = new([]);

    /// <summary>True if the set holds the number; a negative number is in no set.</summary>
    public bool Contains(int number)
    {
        if (number < 0 || number / PageBits >= _pages.Length || _pages[number / PageBits] is not { } page) return false;
        return (page[number % PageBits / 64] >> (number % 64) & 1) != 0;
    }

    /// <summary>How many numbers the set holds.</summary>
    public int Count => _pages.OfType<ulong[]>().Sum(page => page.Sum(word => BitOperations.PopCount(word)));

    public static StatementSet Of(IReadOnlyCollection<int> numbers)
    {
        if (numbers.Count == 0) return Empty;
        var pages = new ulong[]?[numbers.Max() / PageBits + 1];
        foreach (var number in numbers)
        {
            var page = pages[number / PageBits] ??= new ulong[PageWords];
            page[number % PageBits / 64] |= 1UL << (number % 64);
        }

        return new(pages);
    }

    public StatementSet Union(StatementSet other)
    {
        var (longer, shorter) = _pages.Length >= other._pages.Length ? (_pages, other._pages) : (other._pages, _pages);
        var pages = longer.ToArray();
        for (var i = 0; i < shorter.Length; i++) pages[i] = UnionPage(longer[i], shorter[i]);
        return new(pages);
    }

    public StatementSet Intersect(StatementSet other)
    {
        var pages = new ulong[]?[Math.Min(_pages.Length, other._pages.Length)];
        for (var i = 0; i < pages.Length; i++) pages[i] = IntersectPage(_pages[i], other._pages[i]);
        return new(pages);
    }

    public bool Intersects(StatementSet other)
    {
        for (var i = Math.Min(_pages.Length, other._pages.Length) - 1; i >= 0; i--)
        {
            if (_pages[i] is not { } mine || other._pages[i] is not { } theirs) continue;
            for (var word = 0; word < PageWords; word++)
            {
                if ((mine[word] & theirs[word]) != 0) return true;
            }
        }

        return false;
    }

    private static ulong[]? UnionPage(ulong[]? left, ulong[]? right)
    {
        if (left is null || ReferenceEquals(left, right)) return right;
        if (right is null || IsSubset(right, left)) return left;
        if (IsSubset(left, right)) return right;
        return Combine(left, right, (a, b) => a | b);
    }

    private static ulong[]? IntersectPage(ulong[]? left, ulong[]? right)
    {
        if (left is null || ReferenceEquals(left, right)) return left;
        return right is null ? null : Combine(left, right, (a, b) => a & b);
    }

    private static ulong[] Combine(ulong[] left, ulong[] right, Func<ulong, ulong, ulong> combine)
    {
        var page = new ulong[PageWords];
        for (var word = 0; word < PageWords; word++) page[word] = combine(left[word], right[word]);
        return page;
    }

    private static bool IsSubset(ulong[] part, ulong[] whole)
    {
        for (var word = 0; word < PageWords; word++)
        {
            if ((part[word] & ~whole[word]) != 0) return false;
        }

        return true;
    }
}
