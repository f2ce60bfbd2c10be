using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix.Models;

/// <summary>Random histories against a sorted dictionary.</summary>
public class RadixTreeModelTests
{
    [Fact]
    public void Every_history_leaves_what_the_model_holds()
    {
        for (var seed = 1UL; seed <= 10_000; seed++) Run(seed, seed % 97 == 0 ? 400 : 24);
    }

    [Fact]
    public void Deep_keys_do_not_exhaust_the_stack()
    {
        var editor = RadixTree.Empty.Edit();
        var key = new byte[RadixTree.MaxKeyBytes];
        for (var length = 0; length <= key.Length; length++) editor.Set(key.AsSpan(0, length), [1]);
        var full = editor.Snapshot();
        Assert.Equal(key.Length + 1, full.Scan(default).Count());
        Assert.NotEqual(RadixTree.Empty.Hash, full.Hash);
        for (var length = 0; length <= key.Length; length++) Assert.True(editor.Remove(key.AsSpan(0, length)));
        Assert.Equal(RadixTree.Empty.Hash, editor.Hash);
        Assert.Throws<ArgumentOutOfRangeException>(() => editor.Set(new byte[RadixTree.MaxKeyBytes + 1], []));
    }

    [Fact]
    public void A_node_widens_and_narrows_as_its_children_come_and_go()
    {
        var model = new RadixModel();
        var editor = RadixTree.Empty.Edit();
        for (var next = 0; next < 256; next++)
        {
            byte[] key = [7, (byte)(next * 37 % 256), 1];
            editor.Set(key, key);
            model[key] = key;
            Assert.Equal(model.Build().Hash, editor.Hash);
        }

        foreach (var key in model.Keys.OrderBy(key => key[1] * 59 % 256).ToList())
        {
            Assert.True(editor.Remove(key));
            model.Remove(key);
            model.AssertEqual(editor.Snapshot());
            Assert.Equal(model.Build().Hash, editor.Hash);
        }
    }

    [Fact]
    public void Enumerating_while_editing_is_refused()
    {
        var editor = RadixTree.Empty.Set([1], []).Set([2], []).Edit();
        using var entries = editor.Scan(default).GetEnumerator();
        Assert.True(entries.MoveNext());
        editor.Set([3], []);
        Assert.Throws<InvalidOperationException>(() => entries.MoveNext());
    }

    private static void Run(ulong seed, int steps)
    {
        var dice = new RadixDice(seed);
        var model = new RadixModel();
        var editor = RadixTree.Empty.Edit();
        var kept = (Tree: RadixTree.Empty, Model: new RadixModel());
        for (var step = 0; step < steps; step++)
        {
            switch (dice.Below(12))
            {
                case 0:
                    kept.Model.AssertEqual(kept.Tree);
                    kept = (editor.Snapshot(), new(model));
                    break;
                case 1 when step % 5 == 0:
                    editor.Reset(kept.Tree);
                    model = new(kept.Model);
                    break;
                case < 5:
                    var key = Known(dice, model);
                    Assert.Equal(model.Remove(key), editor.Remove(key));
                    break;
                default:
                    var (set, value) = (dice.Below(4) == 0 ? Known(dice, model) : dice.Key(), dice.Value());
                    model[set] = value;
                    editor.Set(set, value);
                    break;
            }

            if (dice.Below(16) == 0) Assert.Equal(model.Build().Hash, editor.Hash);
        }

        kept.Model.AssertEqual(kept.Tree);
        model.AssertEqual(editor.Snapshot());
        Answers(dice, model, editor.Snapshot());
    }

    private static void Answers(RadixDice dice, RadixModel model, RadixTree tree)
    {
        for (var i = 0; i < 3; i++)
        {
            var prefix = Known(dice, model);
            prefix = prefix[..dice.Below(prefix.Length + 1)];
            model.AssertAnswers(tree, prefix, dice.Below(2) == 0 ? dice.Key() : Known(dice, model));
            Assert.Equal(model.Build(prefix).Hash, tree.HashUnder(prefix));
        }
    }

    private static byte[] Known(RadixDice dice, RadixModel model) =>
        model.Count == 0 || dice.Below(5) == 0 ? dice.Key() : model.Keys.ElementAt(dice.Below(model.Count));
}
