using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// Ids of 32 bytes as the keys under a prefix, with empty values. Hashes are those of the ids without the prefix, so that two sides may keep
/// them under different ones.
/// </summary>
internal sealed class IdSet(RadixTree tree, ReadOnlyMemory<byte> prefix)
{
    public int Count(IdRange range) => Locate(range).Count;

    /// <summary>The hash of a tree that holds exactly the ids in the range; null without ids.</summary>
    public Bytes32? Hash(IdRange range)
    {
        var found = Locate(range);
        if (found.Count == 0) return null;
        var path = Bytes(range.Start, found.PathLength);
        return found.Parent is { } parent
            ? NodeHashing.Root(parent, found.From, found.To, path)
            : NodeHashing.Root(found.Node, path, found.Skipped);
    }

    /// <summary>The ids in the range, ascending.</summary>
    public IEnumerable<Bytes32> Ids(IdRange range)
    {
        var whole = Key(range.Start, range.Nibbles / 2);
        var from = Key(range.Start, (range.Nibbles + 1) / 2);
        foreach (var entry in tree.ScanFrom(whole, from))
        {
            var id = new Bytes32(entry.Key.Span[prefix.Length..]);
            if (!range.Contains(id)) yield break;
            yield return id;
        }
    }

    public bool Contains(Bytes32 id) => tree.Contains(Key(id, Bytes32.Size));

    /// <summary>The hash after some ids leave and others join.</summary>
    public Bytes32? HashAfter(IEnumerable<Bytes32> leaving, IEnumerable<Bytes32> joining)
    {
        var editor = tree.Edit();
        foreach (var id in leaving) editor.Remove(Key(id, Bytes32.Size));
        foreach (var id in joining) editor.Set(Key(id, Bytes32.Size), []);
        return new IdSet(editor.Snapshot(), prefix).Hash(IdRange.All);
    }

    private byte[] Key(Bytes32 id, int bytes) => [.. prefix.Span, .. Bytes(id, bytes)];

    private static byte[] Bytes(Bytes32 id, int count) => id.ToArray()[..count];

    private Found Locate(IdRange range)
    {
        var key = Key(range.Start, range.Nibbles / 2);
        var node = NodeReading.Locate(tree.Root, key, out var start);
        if (node is null) return default;

        // The label may begin within the prefix, which is no part of the hash.
        var whole = new Found(node.Count, Math.Max(0, start - prefix.Length)) { Node = node, Skipped = Math.Max(0, prefix.Length - start) };
        if ((range.Nibbles & 1) == 0) return whole;
        var half = (byte)(range.Start.ToArray()[range.Nibbles / 2] & 0xF0);
        var depth = key.Length - start;
        if (depth < node.LabelLength) return (node.Label[depth] & 0xF0) == half ? whole : default;
        return node.Resolved is Inner inner ? Half(inner, half, range.Nibbles / 2) : default;
    }

    /// <summary>The children whose next byte has this high half.</summary>
    private static Found Half(Inner inner, byte half, int path)
    {
        if (inner.IsWide)
        {
            var at = inner.Find(half);
            return at < 0 ? default : Some((Inner)inner.Child(at), 0, 16, path);
        }

        return Some(inner, inner.LowerBound(half), half == 0xF0 ? 16 : inner.LowerBound((byte)(half + 0x10)), path);
    }

    private static Found Some(Inner parent, int from, int to, int path)
    {
        to = Math.Min(to, parent.ChildCount);
        var count = 0;
        for (var i = from; i < to; i++) count += parent.Children[i].Count;
        return new(count, path) { Parent = parent, From = from, To = to };
    }

    /// <summary>A node, or some children of one, and how many bytes of an id lead there.</summary>
    private readonly record struct Found(int Count, int PathLength)
    {
        public Node? Node { get; init; }

        public int Skipped { get; init; }

        public Inner? Parent { get; init; }

        public int From { get; init; }

        public int To { get; init; }
    }
}
