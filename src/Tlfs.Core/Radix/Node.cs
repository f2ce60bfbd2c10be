using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// A subtree. Its label is the part of the keys between the parent and itself; what is below is its content, which does not know the label,
/// so that an edge can be cut or joined without touching hashes or pages.
/// </summary>
internal abstract class Node
{
    /// <summary>The label, and after it the value if there is one. Never changed in place: slices of it are handed out.</summary>
    public byte[] Bytes = [];

    /// <summary>How many of <see cref="Bytes"/> are the label.</summary>
    public int LabelLength;

    /// <summary>Entries at and under this node.</summary>
    public int Count;

    /// <summary>The page that holds this node's content and starts with it, if there is one.</summary>
    public virtual StoredPage? Stored { get => null; set => throw new InvalidOperationException("a short value is never a page"); }

    /// <summary>This node; for a stub the one that it stands for.</summary>
    public Node Resolved => this is Stub stub ? stub.Load() : this;

    public ReadOnlySpan<byte> Label => LabelLength == 0 ? default : Bytes.AsSpan(0, LabelLength);

    public ReadOnlyMemory<byte> Value => Bytes.AsMemory(LabelLength);

    protected static byte[] Join(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(first.Length + second.Length);
        first.CopyTo(bytes);
        second.CopyTo(bytes.AsSpan(first.Length));
        return bytes;
    }
}

/// <summary>One entry with nothing under it. Immutable.</summary>
internal class Leaf : Node
{
    protected Leaf(ReadOnlySpan<byte> label, ReadOnlySpan<byte> value)
    {
        Bytes = Join(label, value);
        LabelLength = label.Length;
        Count = 1;
    }

    public static Leaf Make(ReadOnlySpan<byte> label, ReadOnlySpan<byte> value) =>
        value.Length > LongLeaf.Least ? new LongLeaf(label, value) : new Leaf(label, value);
}

/// <summary>An entry whose value is stored in a page of its own, so that changes around it do not write it again.
/// The value of a key that others start with is no leaf, and stays in its node's page.</summary>
internal sealed class LongLeaf(ReadOnlySpan<byte> label, ReadOnlySpan<byte> value) : Leaf(label, value)
{
    /// <summary>Longer values are long.</summary>
    public const int Least = 512;

    public override StoredPage? Stored { get; set; }
}

/// <summary>Sixteen bytes inside the object, so that a search is one comparison of vectors.</summary>
[InlineArray(Inner.MaxChildren)]
internal struct FirstBytes
{
    private byte _first;
}

/// <summary>
/// A node with children, in ascending order of the first byte of their labels. At most 16; when there would be more, the node is wide: its
/// children are groups, one per high half of that byte. A group is an inner node with an empty label and no value.
/// Whether a node is wide follows from the entries alone.
/// </summary>
internal sealed class Inner : Node
{
    public const int MaxChildren = 16;

    private FirstBytes _firsts;
    private ushort _width;
    private byte _childCount;

    public Inner(long owner, ReadOnlySpan<byte> label, int capacity)
    {
        Owner = owner;
        Bytes = label.ToArray();
        LabelLength = label.Length;
        Children = new Node[capacity];
    }

    private Inner(long owner, Inner from)
    {
        Owner = owner;
        Bytes = from.Bytes;
        LabelLength = from.LabelLength;
        Count = from.Count;
        HasValue = from.HasValue;
        IsWide = from.IsWide;
        Width = from.Width;
        ChildCount = from.ChildCount;
        _firsts = from._firsts;
        Stored = from.Stored;
        Children = new Node[from.ChildCount];
        from.Children.AsSpan(0, from.ChildCount).CopyTo(Children);
        if (!from.IsHashed) return;
        Hash = from.Hash;
        IsHashed = true;
    }

    public override StoredPage? Stored { get; set; }

    /// <summary>The children; places from <see cref="ChildCount"/> on are empty.</summary>
    public Node[] Children { get; private set; }

    /// <summary>Which editor's current version may change this node in place.</summary>
    public long Owner { get; }

    /// <summary>The content's hash; meaningless unless <see cref="IsHashed"/>.</summary>
    public Bytes32 Hash { get; private set; }

    // Several readers may hash one node at the same time; all write the same hash, and the flag after it.
    public bool IsHashed
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    }

    public bool HasValue { get; private set; }

    public bool IsWide { get; private set; }

    /// <summary>Different first bytes under a wide node; 0 for any other.</summary>
    public int Width { get => _width; set => _width = (ushort)value; }

    public int ChildCount { get => _childCount; private set => _childCount = (byte)value; }

    public ReadOnlySpan<byte> Firsts => ((ReadOnlySpan<byte>)_firsts)[..ChildCount];

    /// <summary>A child, read from its page if it was not yet.</summary>
    public Node Child(int at)
    {
        var child = Children[at];
        if (child is Stub stub) Children[at] = child = stub.Load();
        return child;
    }

    /// <summary>The child through which keys with this next byte go, or -1.</summary>
    public int Find(byte next)
    {
        var equal = Vector128.Equals(Vector128.Create<byte>(_firsts), Vector128.Create(Branch(next))).ExtractMostSignificantBits();
        var index = BitOperations.TrailingZeroCount(equal);
        return index < ChildCount ? index : -1;
    }

    /// <summary>How many children come before the one for this next byte.</summary>
    public int LowerBound(byte next)
    {
        var less = Vector128.LessThan(Vector128.Create<byte>(_firsts), Vector128.Create(Branch(next))).ExtractMostSignificantBits();
        return BitOperations.PopCount(less & ((1u << ChildCount) - 1));
    }

    public void SetHash(Bytes32 hash)
    {
        Hash = hash;
        IsHashed = true;
    }

    /// <summary>This node, or a copy, that the owner may change in place.</summary>
    public Inner Own(long owner) => Owner == owner ? this : new(owner, this);

    /// <summary>To be called before the content changes.</summary>
    public void Touch()
    {
        IsHashed = false;
        Stored = null;
    }

    public void SetLabel(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var value = Value.Span;
        var bytes = GC.AllocateUninitializedArray<byte>(first.Length + second.Length + value.Length);
        first.CopyTo(bytes);
        second.CopyTo(bytes.AsSpan(first.Length));
        value.CopyTo(bytes.AsSpan(first.Length + second.Length));
        Bytes = bytes;
        LabelLength = first.Length + second.Length;
    }

    public void SetValue(ReadOnlySpan<byte> value)
    {
        Bytes = Join(Label, value);
        HasValue = true;
    }

    public void ClearValue()
    {
        Bytes = Label.ToArray();
        HasValue = false;
    }

    /// <summary>Puts a child in its place. There must be fewer than 16.</summary>
    public void Insert(byte next, Node child)
    {
        var at = LowerBound(next);
        if (ChildCount == Children.Length) Grow();
        Span<byte> firsts = _firsts;
        firsts[at..ChildCount].CopyTo(firsts[(at + 1)..]);
        Children.AsSpan(at, ChildCount - at).CopyTo(Children.AsSpan(at + 1));
        firsts[at] = Branch(next);
        Children[at] = child;
        ChildCount++;
    }

    public void RemoveAt(int at)
    {
        Span<byte> firsts = _firsts;
        firsts[(at + 1)..ChildCount].CopyTo(firsts[at..]);
        Children.AsSpan(at + 1, ChildCount - at - 1).CopyTo(Children.AsSpan(at));
        ChildCount--;
        Children[ChildCount] = null!;
    }

    /// <summary>Makes a new node wide, before it has children.</summary>
    public void MakeWide(int width) => (IsWide, Width) = (true, width);

    /// <summary>Turns 16 children into groups.</summary>
    public void Widen()
    {
        var (children, count) = (Children, ChildCount);
        var firsts = Firsts.ToArray();
        Clear(MaxChildren);
        MakeWide(count);
        for (var i = 0; i < count; i++)
        {
            var at = Find(firsts[i]);
            if (at < 0)
            {
                Insert(firsts[i], new Inner(Owner, [], 2));
                at = Find(firsts[i]);
            }

            var group = (Inner)Children[at];
            group.Insert(firsts[i], children[i]);
            group.Count += children[i].Count;
        }
    }

    /// <summary>Turns groups with at most 16 children in all into children.</summary>
    public void Narrow(ReadOnlySpan<Inner> groups)
    {
        Clear(MaxChildren);
        (IsWide, Width) = (false, 0);
        foreach (var group in groups)
        {
            for (var i = 0; i < group.ChildCount; i++) Insert(group.Firsts[i], group.Children[i]);
        }
    }

    // A wide node branches on the high half of the byte only.
    private byte Branch(byte next) => IsWide ? (byte)(next & 0xF0) : next;

    private void Clear(int capacity)
    {
        Children = new Node[capacity];
        ChildCount = 0;
    }

    private void Grow()
    {
        var larger = new Node[Math.Min(MaxChildren, Children.Length < 8 ? Children.Length + 2 : Children.Length + 4)];
        Children.AsSpan(0, ChildCount).CopyTo(larger);
        Children = larger;
    }
}
