namespace Tlfs.Core.Radix;

/// <summary>Walks the entries of a subtree in order, one step at a time, with a stack of its own.</summary>
internal sealed class NodeCursor
{
    private readonly KeyBuffer _key;
    private readonly bool _descending;
    private Frame[] _frames = new Frame[16];
    private int _depth;

    private NodeCursor(ReadOnlySpan<byte> start, bool descending)
    {
        _key = new(start);
        _descending = descending;
    }

    public RadixEntry Current { get; private set; }

    /// <summary>Before the first entry under the prefix; before the last when descending.</summary>
    public static NodeCursor Under(Node? root, ReadOnlySpan<byte> prefix, bool descending = false)
    {
        var node = NodeReading.Locate(root, prefix, out var start);
        var cursor = new NodeCursor(prefix[..start], descending);
        if (node is not null) cursor.Push(node.Resolved);
        return cursor;
    }

    /// <summary>Before the first entry under the prefix whose key is not less than <paramref name="from"/>.</summary>
    public static NodeCursor From(Node? root, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> from)
    {
        var node = NodeReading.Locate(root, prefix, out var start);
        var cursor = new NodeCursor(prefix[..start], descending: false);
        if (node is null) return cursor;
        node = node.Resolved;
        var order = NodeReading.Relation(prefix[..start], from);
        if (order > 0) cursor.Push(node);
        else if (order == 0) cursor.Seek(node, from[start..]);
        return cursor;
    }

    public bool MoveNext()
    {
        while (_depth > 0)
        {
            ref var frame = ref _frames[_depth - 1];
            var children = (frame.Node as Inner)?.ChildCount ?? 0;
            var step = frame.Step++;
            if (step == (_descending ? children : 0))
            {
                if (frame.Node is Inner { HasValue: false }) continue;
                Current = new(_key.ToArray(), frame.Node.Value);
                return true;
            }

            if (step > children) Pop();
            else Push(((Inner)frame.Node).Child(_descending ? children - 1 - step : step - 1));
        }

        return false;
    }

    private void Seek(Node start, ReadOnlySpan<byte> from)
    {
        var rest = from;
        for (var node = start; ;)
        {
            var order = NodeReading.Relation(node.Label, rest);
            if (order < 0) return;
            if (order > 0 || rest.Length == node.LabelLength)
            {
                Push(node);
                return;
            }

            if (node is not Inner inner) return;
            rest = rest[node.LabelLength..];
            Push(node);
            var at = inner.LowerBound(rest[0]);
            _frames[_depth - 1].Step = at + 1;
            if (inner.Find(rest[0]) < 0) return;
            _frames[_depth - 1].Step++;
            node = inner.Child(at);
        }
    }

    private void Push(Node node)
    {
        if (_depth == _frames.Length) Array.Resize(ref _frames, _depth * 2);
        _frames[_depth++] = new(node);
        _key.Append(node.Label);
    }

    private void Pop()
    {
        _depth--;
        _key.Shorten(_frames[_depth].Node.LabelLength);
        _frames[_depth] = default;
    }

    /// <summary>A node on the way; step 0 is its own value (last when descending), the others its children.</summary>
    private record struct Frame(Node Node)
    {
        public int Step { get; set; }
    }
}
