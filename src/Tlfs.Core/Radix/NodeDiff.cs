using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// Walks two trees at once, in key order, and leaves out what is known to be equal: the same node, the same page, or the same hash. A node is
/// looked at only if something at or under it differs, or nothing is known of it yet.
/// </summary>
internal sealed class NodeDiff
{
    private readonly Stack<Pair> _open = new();
    private readonly KeyBuffer _key;

    public NodeDiff(Node? older, Node? newer, ReadOnlySpan<byte> prefix)
    {
        _key = new(prefix);
        Push(Start(older, prefix), Start(newer, prefix));
    }

    public IEnumerable<RadixChange> Changes()
    {
        while (_open.TryPop(out var pair))
        {
            _key.Shorten(_key.Length - pair.KeyLength);
            if (AreEqual(pair.Older, pair.Newer)) continue;
            var common = Common(pair.Older, pair.Newer);
            _key.Append(common);
            var (older, newer) = (pair.Older?.Skip(common.Length), pair.Newer?.Skip(common.Length));
            var (before, after) = (Own(older), Own(newer));
            if (before is null ? after is not null : after is null || !before.Value.Span.SequenceEqual(after.Value.Span))
                yield return new(_key.ToArray(), before, after);

            Descend(older, newer);
        }
    }

    private static Part? Start(Node? root, ReadOnlySpan<byte> prefix)
    {
        var node = NodeReading.Locate(root, prefix, out var start);
        return node is null ? null : new(node, prefix.Length - start);
    }

    private static bool AreEqual(Part? older, Part? newer)
    {
        if (older is not { } a || newer is not { } b) return false;
        if (ReferenceEquals(a.Node, b.Node)) return a.Skipped == b.Skipped;
        if (!a.Label.SequenceEqual(b.Label)) return false;
        if (a.Node.Stored is { } page && ReferenceEquals(page, b.Node.Stored)) return true;
        return a.Node.Count == b.Node.Count && Hash(a.Node) is { } hash && hash == Hash(b.Node);
    }

    private static Bytes32? Hash(Node node) => node switch
    {
        Inner { IsHashed: true } inner => inner.Hash,
        Stub { IsLongValue: false } stub => stub.Hash,
        _ => null,
    };

    private static ReadOnlySpan<byte> Common(Part? older, Part? newer)
    {
        if (older is not { } a) return newer!.Value.Label;
        return newer is { } b ? a.Label[..a.Label.CommonPrefixLength(b.Label)] : a.Label;
    }

    /// <summary>The value of the place that the key names.</summary>
    private static ReadOnlyMemory<byte>? Own(Part? part)
    {
        if (part is not { Label.IsEmpty: true } here) return null;
        var node = here.Node.Resolved;
        if (node is Inner { HasValue: false }) return null;
        return node.Value;
    }

    private void Descend(Part? older, Part? newer)
    {
        var (left, right) = (Below(older), Below(newer));
        if (IsWide(older) != IsWide(newer) && left.Count > 0 && right.Count > 0) (left, right) = (Flat(left), Flat(right));

        // The stack turns the order around.
        for (var (i, j) = (left.Count - 1, right.Count - 1); i >= 0 || j >= 0;)
        {
            var order = i < 0 ? -1 : j < 0 ? 1 : left[i].Next.CompareTo(right[j].Next);
            Push(order >= 0 ? left[i--].Part : null, order <= 0 ? right[j--].Part : null);
        }
    }

    private void Push(Part? older, Part? newer)
    {
        if (older is not null || newer is not null) _open.Push(new(older, newer, _key.Length));
    }

    private static bool IsWide(Part? part) => part is { Label.IsEmpty: true } here && here.Node.Resolved is Inner { IsWide: true };

    /// <summary>What continues the place that the key names, by the next byte; under a wide node by its high half.</summary>
    private static List<(byte Next, Part Part)> Below(Part? part)
    {
        if (part is not { } here) return [];
        if (!here.Label.IsEmpty) return [(here.Label[0], here)];
        var below = new List<(byte, Part)>();
        if (here.Node.Resolved is not Inner inner) return below;
        for (var i = 0; i < inner.ChildCount; i++) below.Add((inner.Firsts[i], new(inner.Children[i], 0)));
        return below;
    }

    /// <summary>Children in place of groups.</summary>
    private static List<(byte Next, Part Part)> Flat(List<(byte Next, Part Part)> below)
    {
        var flat = new List<(byte, Part)>();
        foreach (var (next, part) in below)
        {
            if (part.Label.IsEmpty) flat.AddRange(Below(part));
            else flat.Add((next, part));
        }

        return flat;
    }

    /// <summary>A node without the first bytes of its label.</summary>
    private readonly record struct Part(Node Node, int Skipped)
    {
        public ReadOnlySpan<byte> Label => Node.Label[Skipped..];

        public Part Skip(int bytes) => new(Node, Skipped + bytes);
    }

    private readonly record struct Pair(Part? Older, Part? Newer, int KeyLength);
}
