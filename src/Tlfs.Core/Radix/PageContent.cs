namespace Tlfs.Core.Radix;

/// <summary>
/// The kinds of a content in a page. Local storage only, never sent. Numbers are LEB128, byte strings have their length before them:
/// <see cref="Entry"/>, value. <see cref="Reference"/>, page, entries, 32 bytes of hash. <see cref="LongValue"/>, page, hash. The others: number of
/// children, the value if there is one, for a wide node its width, and per child the label (under a wide node one byte with the high half)
/// and a content. Labels and page numbers of what is on another page are here, so that relabelling a node leaves its page alone.
/// </summary>
internal static class PageContent
{
    public const byte Entry = 0, Reference = 1, LongValue = 2, Plain = 4, PlainWithValue = 5, Wide = 6, WideWithValue = 7;

    /// <summary>A content that would be longer has children moved to pages of their own.</summary>
    public const int Target = 8 * 1024;

    /// <summary>What is shorter is not worth a page.</summary>
    public const int Least = 768;
}
