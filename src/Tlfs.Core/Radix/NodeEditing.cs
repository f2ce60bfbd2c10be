namespace Tlfs.Core.Radix;

/// <summary>
/// Changes one version of a tree. Nodes that belong to <see cref="Owner"/> are changed in place, others are copied first; only the path from
/// the root to the change is touched.
/// </summary>
internal sealed class NodeEditing
{
    private static long s_owners;

    private Step[] _path = new Step[16];
    private int _depth;

    public Node? Root { get; set; }

    /// <summary>The token of the current version. A new one freezes everything made so far.</summary>
    public long Owner { get; private set; } = NewOwner();

    public void Freeze() => Owner = NewOwner();

    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _depth = 0;
        if (Root is null)
        {
            Root = Leaf.Make(key, value);
            return;
        }

        var rest = key;
        for (var node = Root; ;)
        {
            var common = node.Label.CommonPrefixLength(rest);
            if (common < node.LabelLength || (node is Leaf && common < rest.Length))
            {
                Replace(Split(node, common, rest, value));
                Grown(1);
                return;
            }

            rest = rest[common..];
            if (node is not Inner shared)
            {
                Replace(Leaf.Make(node.Label, value));
                return;
            }

            var inner = Take(shared);
            if (rest.IsEmpty)
            {
                var added = inner.HasValue ? 0 : 1;
                Grown(added);
                inner.Count += added;
                inner.SetValue(value);
                return;
            }

            var at = inner.Find(rest[0]);
            if (at < 0)
            {
                Attach(inner, rest, value);
                return;
            }

            Enter(inner, at);
            node = inner.Child(at);
        }
    }

    public bool Remove(ReadOnlySpan<byte> key)
    {
        if (!NodeReading.TryGet(Root, key, out _)) return false;
        _depth = 0;
        var rest = key;
        for (var node = Root!; ;)
        {
            rest = rest[node.LabelLength..];
            if (node is not Inner shared)
            {
                RemoveLeaf();
                return true;
            }

            var inner = Take(shared);
            if (rest.IsEmpty)
            {
                inner.ClearValue();
                Grown(-1);
                inner.Count--;
                Join(inner);
                return true;
            }

            var at = inner.Find(rest[0]);
            Enter(inner, at);
            node = inner.Child(at);
        }
    }

    private static long NewOwner() => Interlocked.Increment(ref s_owners);

    /// <summary>The same content under another label.</summary>
    private Node Relabel(Node node, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (node is not Inner shared)
        {
            var leaf = Leaf.Make([.. first, .. second], node.Value.Span);
            if (node.Stored is { } page) leaf.Stored = page;
            return leaf;
        }

        var inner = shared.Own(Owner);
        inner.SetLabel(first, second);
        return inner;
    }

    /// <summary>A node for what two keys have in common, with the old node and the new entry under it.</summary>
    private Inner Split(Node node, int common, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> value)
    {
        var label = node.Label;
        var split = new Inner(Owner, rest[..common], 2) { Count = node.Count + 1 };
        if (common == label.Length) split.SetValue(node.Value.Span);
        else split.Insert(label[common], Relabel(node, label[common..], []));
        if (common == rest.Length) split.SetValue(value);
        else split.Insert(rest[common], Leaf.Make(rest[common..], value));
        return split;
    }

    private void Attach(Inner inner, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> value)
    {
        Grown(1);
        inner.Count++;
        if (_depth > 0 && Parent.IsWide) Parent.Width++;
        else if (inner is { ChildCount: Inner.MaxChildren, IsWide: false }) inner.Widen();

        if (inner.IsWide)
        {
            inner.Width++;
            inner = Group(inner, rest[0]);
            inner.Count++;
        }

        inner.Insert(rest[0], Leaf.Make(rest, value));
    }

    private Inner Group(Inner wide, byte next)
    {
        var at = wide.Find(next);
        if (at < 0)
        {
            var made = new Inner(Owner, [], 2);
            wide.Insert(next, made);
            return made;
        }

        var group = ((Inner)wide.Child(at)).Own(Owner);
        wide.Children[at] = group;
        group.Touch();
        return group;
    }

    /// <summary>Removes the leaf that the path leads to, and restores what the shape of a tree promises.</summary>
    private void RemoveLeaf()
    {
        if (_depth == 0)
        {
            Root = null;
            return;
        }

        Grown(-1);
        var (parent, at) = _path[--_depth];
        parent.RemoveAt(at);
        if (_depth == 0 || !Parent.IsWide)
        {
            Join(parent);
            return;
        }

        var (wide, group) = _path[--_depth];
        wide.Width--;
        if (parent.ChildCount == 0) wide.RemoveAt(group);
        if (wide.Width > Inner.MaxChildren) return;
        var groups = new Inner[wide.ChildCount];
        for (var i = 0; i < groups.Length; i++) groups[i] = (Inner)wide.Child(i);
        wide.Narrow(groups);
    }

    /// <summary>A node that is left with one entry or one child becomes that.</summary>
    private void Join(Inner inner)
    {
        if (inner.IsWide || inner.ChildCount > 1) return;
        if (inner.ChildCount == 0) Replace(Leaf.Make(inner.Label, inner.Value.Span));
        else if (!inner.HasValue) Replace(Relabel(inner.Child(0), inner.Label, inner.Child(0).Label));
    }

    private Inner Parent => _path[_depth - 1].Node;

    private Inner Take(Inner shared)
    {
        var inner = shared.Own(Owner);
        inner.Touch();
        if (!ReferenceEquals(inner, shared)) Replace(inner);
        return inner;
    }

    /// <summary>Puts a node where the path leads to.</summary>
    private void Replace(Node node)
    {
        if (_depth == 0) Root = node;
        else Parent.Children[_path[_depth - 1].At] = node;
    }

    private void Enter(Inner inner, int at)
    {
        if (_depth == _path.Length) Array.Resize(ref _path, _depth * 2);
        _path[_depth++] = new(inner, at);
    }

    private void Grown(int entries)
    {
        if (entries == 0) return;
        for (var i = 0; i < _depth; i++) _path[i].Node.Count += entries;
    }

    private readonly record struct Step(Inner Node, int At);
}
