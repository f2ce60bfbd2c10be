using System.Buffers;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// The Merkle hash (docs/protocol/encoding.md §8). It is a function of the entries alone: the shape follows from them, and neither
/// history nor paging is part of it. Hashes stay in the nodes; only nodes changed since are hashed again.
/// </summary>
internal sealed class NodeHashing
{
    /// <summary>Values up to this many bytes are part of the node that holds them; longer ones are represented by their hash.</summary>
    public const int ShortValue = 64;

    private const byte Short = 0, Long = 1, Nested = 2, None = 3;
    private const byte Plain = 0, Wide = 1;

    [ThreadStatic]
    private static NodeHashing? s_ofThread;

    private readonly ArrayBufferWriter<byte> _body = new(1024);

    /// <summary>The hash of a tree that holds what is under the node.</summary>
    /// <param name="node">The node; null for an empty tree.</param>
    /// <param name="path">What leads to the node.</param>
    /// <param name="skipped">Bytes at the start of the label that are not part of the tree's keys.</param>
    public static Bytes32 Root(Node? node, ReadOnlySpan<byte> path, int skipped = 0)
    {
        if (node is null) return Hashing.Hash(Label.RadixRoot, []);
        var hashing = OfThread();
        hashing.Below(node);
        hashing.Number(path.Length + node.LabelLength - skipped);
        hashing._body.Write(path);
        hashing._body.Write(node.Label[skipped..]);
        hashing.Content(node);
        return Hashing.Hash(Label.RadixRoot, hashing._body.WrittenSpan);
    }

    /// <summary>The hash of a tree that holds what is under some children of a node.</summary>
    public static Bytes32 Root(Inner parent, int from, int to, ReadOnlySpan<byte> path)
    {
        if (to - from == 1) return Root(parent.Children[from], path);
        var hashing = OfThread();
        var count = 0;
        for (var i = from; i < to; i++)
        {
            hashing.Below(parent.Children[i]);
            count += parent.Children[i].Count;
        }

        hashing.Byte(Plain);
        hashing.Byte(None);
        for (var i = from; i < to; i++) hashing.Child(parent.Children[i]);
        var content = Hashing.Hash(Label.RadixNode, hashing._body.WrittenSpan);
        hashing._body.ResetWrittenCount();
        hashing.Number(path.Length);
        hashing._body.Write(path);
        hashing.Nest(count, content);
        return Hashing.Hash(Label.RadixRoot, hashing._body.WrittenSpan);
    }

    /// <summary>Hashes everything in memory from here down.</summary>
    public static void Prepare(Node node) => OfThread().Below(node);

    /// <summary>The hash that represents a long value.</summary>
    public static Bytes32 LongValue(ReadOnlySpan<byte> value) => Hashing.Hash(Label.RadixValue, value);

    /// <summary>A buffer that is used again; the hashing of one tree ends before that of another begins.</summary>
    private static NodeHashing OfThread()
    {
        var hashing = s_ofThread ??= new();
        hashing._body.ResetWrittenCount();
        return hashing;
    }

    private void Below(Node node)
    {
        if (node is not Inner { IsHashed: false } inner) return;
        for (var i = 0; i < inner.ChildCount; i++) Below(inner.Children[i]);

        _body.ResetWrittenCount();
        Byte(inner.IsWide ? Wide : Plain);
        if (inner.IsWide) Number(inner.Width);
        if (inner.HasValue) Value(inner.Value.Span);
        else Byte(None);
        for (var i = 0; i < inner.ChildCount; i++) Child(inner.Children[i]);

        inner.SetHash(Hashing.Hash(Label.RadixNode, _body.WrittenSpan));
        _body.ResetWrittenCount();
    }

    private void Child(Node child)
    {
        Number(child.LabelLength);
        _body.Write(child.Label);
        Content(child);
    }

    private void Content(Node node)
    {
        switch (node)
        {
            case Leaf leaf:
                Value(leaf.Value.Span);
                break;
            case Stub { IsLongValue: true } value:
                Byte(Long);
                Write(value.Hash);
                break;
            default:
                Nest(node.Count, node is Stub stub ? stub.Hash : ((Inner)node).Hash);
                break;
        }
    }

    private void Nest(int count, Bytes32 hash)
    {
        Byte(Nested);
        Number(count);
        Write(hash);
    }

    private void Value(ReadOnlySpan<byte> value)
    {
        if (value.Length > ShortValue)
        {
            Byte(Long);
            Write(LongValue(value));
            return;
        }

        Byte(Short);
        Number(value.Length);
        _body.Write(value);
    }

    private void Byte(byte value)
    {
        _body.GetSpan(1)[0] = value;
        _body.Advance(1);
    }

    private void Number(int value)
    {
        var rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7) Byte((byte)((rest & 0x7F) | 0x80));
        Byte((byte)rest);
    }

    private void Write(Bytes32 hash)
    {
        hash.CopyTo(_body.GetSpan(Bytes32.Size));
        _body.Advance(Bytes32.Size);
    }
}
