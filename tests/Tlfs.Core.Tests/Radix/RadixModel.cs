using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix;

/// <summary>What a tree should say, from a sorted dictionary.</summary>
internal sealed class RadixModel : SortedDictionary<byte[], byte[]>
{
    public RadixModel()
        : base(ByteOrder.Instance)
    {
    }

    public RadixModel(RadixModel from)
        : base(from, ByteOrder.Instance)
    {
    }

    public List<byte[]> Under(byte[] prefix) => [.. Keys.Where(key => key.AsSpan().StartsWith(prefix))];

    /// <summary>The tree holds exactly these entries.</summary>
    public void AssertEqual(RadixTree tree)
    {
        Assert.Equal(Count, tree.Count);
        Assert.Equal(Lines(this), Lines(tree.Scan(default)), StringComparer.Ordinal);
    }

    /// <summary>Everything that a tree can be asked about a prefix and a key.</summary>
    public void AssertAnswers(RadixTree tree, byte[] prefix, byte[] key)
    {
        var under = Under(prefix);
        Assert.Equal(under.Count, tree.CountUnder(prefix));
        AssertKeys(under, tree.Scan(prefix));
        AssertKeys(Enumerable.Reverse(under), tree.ScanBack(prefix));
        var from = under.Where(other => ByteOrder.Instance.Compare(other, key) >= 0).ToList();
        AssertKeys(from, tree.ScanFrom(prefix, key));
        Assert.Equal(under.Count - from.Count, tree.Rank(prefix, key));
        Assert.False(tree.TryAt(prefix, under.Count, out _));
        for (var i = 0; i < under.Count; i += 1 + (under.Count / 5))
        {
            Assert.True(tree.TryAt(prefix, i, out var entry));
            Assert.Equal(under[i], entry.Key.ToArray());
            Assert.Equal(this[under[i]], entry.Value.ToArray());
        }

        Assert.Equal(TryGetValue(key, out var expected), tree.TryGet(key, out var found));
        Assert.Equal(expected ?? [], found.ToArray());
        Assert.Equal(ContainsKey(key), tree.Contains(key));
    }

    /// <summary>The same entries in a tree built from nothing.</summary>
    public RadixTree Build(byte[]? prefix = null)
    {
        var editor = RadixTree.Empty.Edit();
        foreach (var key in Under(prefix ?? [])) editor.Set(key, this[key]);
        return editor.Snapshot();
    }

    private static void AssertKeys(IEnumerable<byte[]> expected, IEnumerable<RadixEntry> entries) =>
        Assert.Equal(expected.Select(Hex), entries.Select(entry => Hex(entry.Key.ToArray())), StringComparer.Ordinal);

    private static IEnumerable<string> Lines(IEnumerable<KeyValuePair<byte[], byte[]>> entries) =>
        entries.Select(entry => $"{Hex(entry.Key)}={Hex(entry.Value)}");

    private static IEnumerable<string> Lines(IEnumerable<RadixEntry> entries) =>
        entries.Select(entry => $"{Hex(entry.Key.ToArray())}={Hex(entry.Value.ToArray())}");

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
