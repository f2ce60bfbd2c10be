namespace Tlfs.Core.Radix;

/// <summary>Questions to a tree that one walk from the root answers.</summary>
internal static class NodeReading
{
    public static bool TryGet(Node? root, ReadOnlySpan<byte> key, out ReadOnlyMemory<byte> value)
    {
        value = default;
        var rest = key;
        for (var node = root; node is not null;)
        {
            if (!rest.StartsWith(node.Label)) return false;
            rest = rest[node.LabelLength..];
            if (node is not Inner inner)
            {
                if (!rest.IsEmpty) return false;
                value = node.Value;
                return true;
            }

            if (rest.IsEmpty)
            {
                if (inner.HasValue) value = inner.Value;
                return inner.HasValue;
            }

            var at = inner.Find(rest[0]);
            if (at < 0) return false;
            node = inner.Child(at);
        }

        return false;
    }

    /// <summary>The node that holds exactly the entries whose keys start with the prefix.</summary>
    /// <param name="root">Where to start.</param>
    /// <param name="prefix">The prefix.</param>
    /// <param name="start">How many bytes of the prefix are before the found node's label.</param>
    public static Node? Locate(Node? root, ReadOnlySpan<byte> prefix, out int start)
    {
        start = 0;
        for (var node = root; node is not null;)
        {
            var rest = prefix[start..];
            if (rest.Length <= node.LabelLength) return node.Label.StartsWith(rest) ? node : null;
            if (node is not Inner inner || !rest.StartsWith(node.Label)) return null;
            start += node.LabelLength;
            var at = inner.Find(prefix[start]);
            if (at < 0) return null;
            node = inner.Children[at];
            if (start + node.LabelLength < prefix.Length) node = inner.Child(at);
        }

        return null;
    }

    /// <summary>How many entries under the prefix have a smaller key.</summary>
    public static int Rank(Node? root, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key)
    {
        var node = Locate(root, prefix, out var start);
        if (node is null) return 0;
        var order = Relation(prefix[..start], key);
        if (order != 0) return order < 0 ? node.Count : 0;

        node = node.Resolved;
        var rest = key[start..];
        for (var rank = 0; ;)
        {
            order = Relation(node.Label, rest);
            if (order > 0) return rank;
            if (order < 0) return rank + node.Count;
            if (node is not Inner inner) return rest.Length > node.LabelLength ? rank + 1 : rank;
            rest = rest[node.LabelLength..];
            if (rest.IsEmpty) return rank;
            if (inner.HasValue) rank++;
            var at = inner.LowerBound(rest[0]);
            for (var i = 0; i < at; i++) rank += inner.Children[i].Count;
            if (at == inner.ChildCount || inner.Find(rest[0]) != at) return rank;
            node = inner.Child(at);
        }
    }

    /// <summary>The entry with this many smaller ones under the prefix.</summary>
    public static bool TryAt(Node? root, ReadOnlySpan<byte> prefix, int index, out RadixEntry entry)
    {
        entry = default;
        var node = Locate(root, prefix, out var start);
        if (node is null || index < 0 || index >= node.Count) return false;
        node = node.Resolved;
        var key = new KeyBuffer(prefix[..start]);
        while (true)
        {
            key.Append(node.Label);
            if (node is not Inner inner || (inner.HasValue && index == 0))
            {
                entry = new(key.ToArray(), node.Value);
                return true;
            }

            if (inner.HasValue) index--;
            var at = 0;
            for (; index >= inner.Children[at].Count; at++) index -= inner.Children[at].Count;
            node = inner.Child(at);
        }
    }

    /// <summary>0 when the bytes start with the label; else how every continuation of the label compares with the bytes.</summary>
    public static int Relation(ReadOnlySpan<byte> label, ReadOnlySpan<byte> bytes)
    {
        var common = label.CommonPrefixLength(bytes);
        if (common == label.Length) return 0;
        return common == bytes.Length ? 1 : label[common].CompareTo(bytes[common]);
    }
}
