using System.Globalization;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix;

/// <summary>Pages in memory. Freed ones are really gone.</summary>
internal sealed class PageStore : IRadixPages
{
    private long _last;

    public SortedDictionary<long, byte[]> Pages { get; } = [];

    public int Reads { get; private set; }

    public RadixRoot Root { get; private set; }

    /// <summary>Pages appended and freed by the last write.</summary>
    public (int Appended, int Freed) Last { get; private set; }

    public ReadOnlyMemory<byte> Read(long page)
    {
        Reads++;
        return Pages.TryGetValue(page, out var bytes) ? bytes : throw new KeyNotFoundException(page.ToString(CultureInfo.InvariantCulture));
    }

    public long Append(ReadOnlyMemory<byte> page)
    {
        Pages.Add(++_last, page.ToArray());
        return _last;
    }

    public void Write(RadixTree tree)
    {
        var before = _last;
        Root = new RadixPageWriter(Append).Write(tree, out var freed);
        foreach (var page in freed) Assert.True(Pages.Remove(page));
        Last = ((int)(_last - before), freed.Count);
    }

    public RadixTree Open() => RadixTree.Open(this, Root);
}
