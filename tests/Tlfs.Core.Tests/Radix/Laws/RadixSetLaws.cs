using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix.Laws;

/// <summary>Union, intersection, difference, and the differences of versions.</summary>
public class RadixSetLaws
{
    [Fact]
    public void Sets_obey_the_laws_of_sets()
    {
        for (var seed = 1UL; seed <= 10_000; seed++)
        {
            var dice = new RadixDice(seed);
            var (a, b, c) = (Tree(dice, seed), Tree(dice, seed), Tree(dice, seed));
            Assert.Equal(Keys(a.Union(b)), Keys(b.Union(a)));
            Assert.Equal(Keys(a.Intersect(b)), Keys(b.Intersect(a)));
            Assert.Equal(a.Union(b).Union(c).Hash, a.Union(b.Union(c)).Hash);
            Assert.Equal(a.Intersect(b).Intersect(c).Hash, a.Intersect(b.Intersect(c)).Hash);
            Assert.Equal(a.Intersect(b.Union(c)).Hash, a.Intersect(b).Union(a.Intersect(c)).Hash);
            Assert.Equal(a.Hash, a.Union(a).Hash);
            Assert.Equal(a.Hash, a.Intersect(a).Hash);
            Assert.Equal(a.Hash, a.Except(b).Union(a.Intersect(b)).Hash);
            Assert.Equal(a.Except(b).Hash, a.Except(a.Intersect(b)).Hash);
            Assert.Equal(0, a.Except(b).Intersect(b).Count);
            Assert.Equal(0, a.Except(a).Count);
            Assert.Equal(a.Count + b.Count, a.Union(b).Count + a.Intersect(b).Count);
        }
    }

    [Fact]
    public void Sets_are_what_the_model_says()
    {
        for (var seed = 1UL; seed <= 3_000; seed++)
        {
            var dice = new RadixDice(seed);
            var (a, b) = (Model(dice, seed), Model(dice, seed));
            var (union, both, rest) = (new RadixModel(b), new RadixModel(), new RadixModel());
            foreach (var (key, value) in a)
            {
                union[key] = value;
                (b.ContainsKey(key) ? both : rest)[key] = value;
            }

            var (left, right) = (a.Build(), b.Build());
            union.AssertEqual(left.Union(right));
            both.AssertEqual(left.Intersect(right));
            rest.AssertEqual(left.Except(right));
        }
    }

    [Fact]
    public void The_difference_of_versions_is_that_of_their_models()
    {
        for (var seed = 1UL; seed <= 10_000; seed++)
        {
            var dice = new RadixDice(seed);
            var (older, newer) = (Model(dice, seed), Model(dice, seed));
            var (before, after) = (older.Build(), newer.Build());
            if (dice.Below(2) == 0) after = Towards(before, newer);
            if (dice.Below(2) == 0) Assert.NotEqual(before.Hash, after.Set([1, 2, 3, 4], [5]).Hash);
            if (dice.Below(4) == 0) (before, after) = (Reopened(before), Reopened(after));
            AssertDiff(older, newer, before, after, []);
            var key = dice.Key();
            AssertDiff(older, newer, before, after, key[..dice.Below(key.Length + 1)]);
        }
    }

    [Fact]
    public void The_difference_of_close_versions_reads_few_pages()
    {
        var store = new PageStore();
        var editor = RadixTree.Empty.Edit();
        for (var i = 0; i < 50_000; i++) editor.Set(new RadixDice((ulong)i).Id(), [1]);
        store.Write(editor.Snapshot());
        var (older, newer) = (store.Open(), store.Open().Set([7], [7]));
        var (id, reads) = (new RadixDice(7).Id(), store.Reads);
        newer = newer.Set(id, [2]);
        Assert.Equal(2, RadixTree.Diff(older, newer, default).Count());
        Assert.Single(RadixTree.Diff(older, newer, id.AsMemory(0, 3)));
        Assert.InRange(store.Reads - reads, 1, 12);
    }

    private static void AssertDiff(RadixModel older, RadixModel newer, RadixTree before, RadixTree after, byte[] prefix)
    {
        var expected = new RadixModel(older).Keys.Union(newer.Keys)
            .Where(key => key.AsSpan().StartsWith(prefix))
            .Select(key => Line(key, older.GetValueOrDefault(key), newer.GetValueOrDefault(key)))
            .Where(line => line.Differs)
            .Select(line => line.Text)
            .Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal).ToList();
        var found = RadixTree.Diff(before, after, prefix)
            .Select(change => Line(change.Key.ToArray(), change.Before?.ToArray(), change.After?.ToArray()).Text).ToList();
        Assert.Equal(expected, found.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        var keys = RadixTree.Diff(before, after, prefix).Select(change => change.Key.ToArray()).ToList();
        Assert.Equal(keys.Order(ByteOrder.Instance), keys);
    }

    private static (string Text, bool Differs) Line(byte[] key, byte[]? before, byte[]? after)
    {
        var (from, to) = (before is null ? "none" : Convert.ToHexString(before), after is null ? "none" : Convert.ToHexString(after));
        return ($"{Convert.ToHexString(key)}: {from} {to}", !string.Equals(from, to, StringComparison.Ordinal));
    }

    /// <summary>The model's entries, in a tree that shares what it can with another one.</summary>
    private static RadixTree Towards(RadixTree from, RadixModel model)
    {
        var editor = from.Edit();
        foreach (var entry in from.Scan(default))
        {
            if (!model.ContainsKey(entry.Key.ToArray())) editor.Remove(entry.Key.Span);
        }

        foreach (var (key, value) in model) editor.Set(key, value);
        return editor.Snapshot();
    }

    private static RadixTree Reopened(RadixTree tree)
    {
        var store = new PageStore();
        store.Write(tree.Detach());
        return store.Open();
    }

    private static RadixTree Tree(RadixDice dice, ulong seed) => Model(dice, seed).Build();

    private static RadixModel Model(RadixDice dice, ulong seed)
    {
        var model = new RadixModel();
        for (var count = dice.Below(seed % 61 == 0 ? 200 : 12); count > 0; count--) model[dice.Key()] = dice.Value();
        return model;
    }

    private static List<Bytes32> Keys(RadixTree tree) =>
        [.. tree.Scan(default).Select(entry => Core.Crypto.Hashing.Sha256(entry.Key.Span))];
}
