using System.Buffers.Binary;
using CloudPeer.TestKit;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix.Models;

/// <summary>Trees that are stored and opened again.</summary>
public class RadixPagesTests
{
    [Fact]
    public void Storing_and_opening_between_edits_changes_nothing()
    {
        for (var seed = 1UL; seed <= 10_000; seed++) Run(seed, seed % 499 == 1 ? 3_000 : 14);
    }

    [Fact]
    public void One_edit_of_a_large_stored_tree_writes_and_reads_a_handful_of_pages()
    {
        var store = new PageStore();
        var tree = Large(100_000);
        store.Write(tree);
        var total = store.Pages.Count;
        Assert.InRange(store.Pages.Values.Average(page => page.Length), 1_500, 9_000);
        Assert.InRange(store.Pages.Values.Max(page => page.Length), 0, 17_000);

        tree = tree.Set(Key(77_777), [1]);
        store.Write(tree);
        Assert.InRange(store.Last.Appended, 1, 6);
        Assert.InRange(store.Last.Freed, store.Last.Appended - 2, 6);
        Assert.Equal(total + store.Last.Appended - store.Last.Freed, store.Pages.Count);

        var opened = store.Open();
        Assert.Equal((100_000, tree.Hash, 0), (opened.Count, opened.Hash, store.Reads));
        Assert.True(opened.TryGet(Key(77_777), out var value));
        Assert.Equal([1], value.ToArray());
        opened = opened.Remove(Key(5));
        store.Write(opened);
        Assert.InRange(store.Reads, 1, 8);
        Assert.InRange(store.Last.Appended, 1, 6);
        Assert.Equal(tree.Remove(Key(5)).Hash, opened.Hash);
    }

    [Fact]
    public void Emptying_a_stored_tree_frees_all_its_pages()
    {
        var store = new PageStore();
        store.Write(Large(3_000));
        var editor = store.Open().Edit();
        editor.Reset(RadixTree.Empty);
        store.Write(editor.Snapshot());
        Assert.Empty(store.Pages);
        Assert.Equal(0, store.Open().Count);
        Assert.Equal(RadixTree.Empty.Hash, store.Open().Hash);
    }

    [Fact]
    public void Long_values_have_pages_that_changes_around_them_leave_alone()
    {
        var store = new PageStore();
        var tree = RadixTree.Empty.Set([1], new byte[100_000]).Set([2], new byte[5_000]).Set([3], [3]);
        store.Write(tree);
        Assert.Equal((3, 0), store.Last);
        store.Write(store.Open().Set([3], [4]));
        Assert.Equal((1, 1), store.Last);
        Assert.Equal(tree.Set([3], [4]).Hash, store.Open().Detach().Hash);
    }

    [Fact]
    public void What_was_undone_is_written_again()
    {
        var store = new PageStore();
        var first = Large(5_000);
        store.Write(first);
        var (pages, root) = (store.Pages.ToDictionary(), store.Root);
        var second = first.Set(Key(1), [9]).Remove(Key(2));

        var writer = new RadixPageWriter(store.Append);
        writer.Write(second, out _);
        writer.Write(second.Set(Key(3), [9]), out _);
        writer.Undo();
        store.Pages.Clear();
        foreach (var (number, page) in pages) store.Pages.Add(number, page);

        store.Write(second);
        Assert.InRange(store.Last.Freed, 1, 6);
        Assert.Equal(second.Scan(default).Count(), store.Open().Scan(default).Count());
        Assert.Equal(second.Hash, store.Open().Detach().Hash);
        Assert.Equal(first.Hash, RadixTree.Open(new Fixed(pages), root).Detach().Hash);
    }

    [Fact]
    public void A_write_that_failed_half_way_is_undone()
    {
        var store = new PageStore();
        var tree = Large(5_000);
        var left = 20;
        var writer = new RadixPageWriter(page => left-- > 0 ? store.Append(page) : throw new IOException("full"));
        Assert.Throws<IOException>(() => writer.Write(tree, out _));
        writer.Undo();
        store.Pages.Clear();
        store.Write(tree);
        Assert.Equal(tree.Hash, store.Open().Detach().Hash);
        Assert.Equal(5_000, store.Open().Scan(default).Count());
    }

    [Fact]
    public void A_damaged_page_does_not_name_pages_to_delete()
    {
        var store = new PageStore();
        store.Write(Large(5_000));
        var editor = store.Open().Edit();
        editor.Reset(RadixTree.Empty);
        var page = store.Pages.First(page => page.Key != store.Root.Page).Value;
        page[^1] ^= 1;
        var writer = new RadixPageWriter(store.Append);
        Assert.Throws<RadixPageException>(() => writer.Write(editor.Snapshot(), out _));
        writer.Undo();
        page[^1] ^= 1;
        store.Write(editor.Snapshot());
        Assert.Empty(store.Pages);
    }

    [Fact]
    public void A_detached_tree_is_written_whole_into_another_store()
    {
        var (one, other) = (new PageStore(), new PageStore());
        one.Write(Large(2_000));
        other.Write(one.Open().Detach());
        Assert.Equal(one.Pages.Count, other.Pages.Count);
        Assert.Equal(2_000, other.Open().Scan(default).Count());
    }

    [Fact]
    public void Damaged_pages_are_found_whatever_the_damage()
    {
        var store = new PageStore();
        var tree = Large(600).Set([5], new byte[2_000]);
        store.Write(tree);
        var numbers = store.Pages.Keys.ToArray();
        var entropy = new SeededEntropy(7);
        for (var i = 0; i < 8_000; i++)
        {
            var number = numbers[entropy.Below(numbers.Length)];
            var good = store.Pages[number];
            store.Pages[number] = Fuzz.Mutate(entropy, good);
            try
            {
                // Reads every page of the damaged tree only when the damage is not found before.
                var read = store.Open();
                Assert.Equal(tree.Scan(default).Count(), read.Scan(default).Count());
                Assert.Equal(tree.Hash, read.Detach().Hash);
            }
            catch (Exception e) when (e is RadixPageException or KeyNotFoundException)
            {
                Assert.NotEqual(good, store.Pages[number]);
            }

            store.Pages[number] = good;
        }
    }

    [Fact]
    public void Deep_trees_are_stored_and_opened()
    {
        var store = new PageStore();
        var editor = RadixTree.Empty.Edit();
        var key = new byte[RadixTree.MaxKeyBytes];
        for (var length = 0; length <= key.Length; length++) editor.Set(key.AsSpan(0, length), [1]);
        store.Write(editor.Snapshot());
        Assert.Equal(key.Length + 1, store.Open().Scan(default).Count());
    }

    private static void Run(ulong seed, int steps)
    {
        var dice = new RadixDice(seed);
        var model = new RadixModel();
        var store = new PageStore();
        var editor = RadixTree.Empty.Edit();
        for (var step = 0; step < steps; step++)
        {
            var key = dice.Key();
            if (dice.Below(3) == 0)
            {
                Assert.Equal(model.Remove(key), editor.Remove(key));
            }
            else
            {
                var value = dice.Below(50) == 0 ? new byte[700] : dice.Value();
                model[key] = value;
                editor.Set(key, value);
            }

            if (dice.Below(1 + (steps / 6)) != 0) continue;
            var tree = editor.Snapshot();
            store.Write(tree);
            if (dice.Below(2) == 0) editor = store.Open().Edit();
        }

        store.Write(editor.Snapshot());
        model.AssertEqual(store.Open());
        Assert.Equal(model.Build().Hash, store.Open().Detach().Hash);
        model.AssertAnswers(store.Open(), model.Count == 0 ? [] : model.Keys.First()[..0], dice.Key());
        AssertNoneLeft(store);
    }

    /// <summary>Nothing is stored but what a copy in another store needs, give or take how old pages were cut.</summary>
    private static void AssertNoneLeft(PageStore store)
    {
        var tree = store.Open();
        var before = store.Reads;
        foreach (var entry in tree.Scan(default)) Assert.True(entry.Key.Length >= 0);
        Assert.Equal(store.Pages.Count, store.Reads - before);
    }

    private static RadixTree Large(int count)
    {
        var editor = RadixTree.Empty.Edit();
        for (var i = 0; i < count; i++) editor.Set(Key(i), [1, 2, 3, 4, 5, 6, 7, 8]);
        return editor.Snapshot();
    }

    private static byte[] Key(int number)
    {
        var key = new byte[40];
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(36), number);
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(4), unchecked((ulong)number * 0x9E3779B97F4A7C15));
        return key;
    }

    private sealed class Fixed(Dictionary<long, byte[]> pages) : IRadixPages
    {
        public ReadOnlyMemory<byte> Read(long page) => pages[page];
    }
}
