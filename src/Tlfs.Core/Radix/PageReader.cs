using System.Runtime.CompilerServices;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// Decodes a page and checks it against its reference. A page is <see cref="Version"/>, for a root's page the root's label, and a content;
/// see <see cref="PageContent"/>. What is not a page of exactly this form throws <see cref="RadixPageException"/>.
/// </summary>
internal ref struct PageReader
{
    /// <summary>The first byte of a page.</summary>
    public const byte Version = 1;

    private readonly StoredPage _page;
    private readonly List<StoredPage> _children = [];
    private ReadOnlySpan<byte> _rest;

    public PageReader(StoredPage page, ReadOnlyMemory<byte> bytes)
    {
        _page = page;
        _rest = bytes.Span;
        Require(Byte() == Version);
    }

    /// <summary>The node that a stub stands for.</summary>
    public Node Content(Stub stub)
    {
        var node = Node(stub.Label, stub.IsGroup);
        NodeHashing.Prepare(node);
        var hash = node is Inner inner ? inner.Hash : NodeHashing.LongValue(node.Value.Span);
        Finish(node is Leaf == stub.IsLongValue && node.Count == stub.Count && hash == stub.Hash);
        return node;
    }

    /// <summary>The root of a tree.</summary>
    public Node Root(RadixRoot root)
    {
        var node = Node(Bytes(), isGroup: false);
        Finish(node.Count == root.Count && NodeHashing.Root(node, []) == root.Hash);
        return node;
    }

    private Node Node(ReadOnlySpan<byte> label, bool isGroup)
    {
        Require(RuntimeHelpers.TryEnsureSufficientExecutionStack());
        var kind = Byte();
        return kind switch
        {
            PageContent.Entry when !isGroup => Leaf.Make(label, Bytes()),
            PageContent.Reference => Below(new(label, Page(), Number(), Hash()) { IsGroup = isGroup }),
            PageContent.LongValue when !isGroup => Below(new(label, Page(), 1, Hash()) { IsLongValue = true }),
            PageContent.Plain => Inner(label, hasValue: false, isGroup),
            PageContent.PlainWithValue when !isGroup => Inner(label, hasValue: true, isGroup),
            PageContent.Wide when !isGroup => WideInner(label, hasValue: false),
            PageContent.WideWithValue when !isGroup => WideInner(label, hasValue: true),
            _ => throw Damaged(),
        };
    }

    private Stub Below(Stub stub)
    {
        stub.Page.Stub = stub;
        _children.Add(stub.Page);
        return stub;
    }

    private Inner Inner(ReadOnlySpan<byte> label, bool hasValue, bool isGroup)
    {
        var (inner, count) = Start(label, hasValue);
        for (var last = -1; count > 0; count--)
        {
            var below = Bytes();
            Require(!below.IsEmpty && below[0] > last && (!isGroup || last < 0 || below[0] >> 4 == last >> 4));
            last = below[0];
            Add(inner, below[0], Node(below, isGroup: false));
        }

        return inner;
    }

    private Inner WideInner(ReadOnlySpan<byte> label, bool hasValue)
    {
        var (inner, count) = Start(label, hasValue);
        var width = Number();
        Require(width is > Radix.Inner.MaxChildren and <= 256);
        inner.MakeWide(width);
        for (var last = -1; count > 0; count--)
        {
            var half = Byte();
            Require(half > last && (half & 0x0F) == 0);
            last = half;
            Add(inner, half, Node([], isGroup: true));
        }

        return inner;
    }

    private (Inner Inner, int Children) Start(ReadOnlySpan<byte> label, bool hasValue)
    {
        var count = Number();
        Require(count is >= 1 and <= Radix.Inner.MaxChildren);
        var inner = new Inner(owner: 0, label, count);
        if (hasValue) inner.SetValue(Bytes());
        inner.Count = hasValue ? 1 : 0;
        return (inner, count);
    }

    private static void Add(Inner inner, byte next, Node child)
    {
        Require(child.Count <= int.MaxValue - inner.Count);
        inner.Insert(next, child);
        inner.Count += child.Count;
    }

    private StoredPage Page() => new(_page.Store, (long)Varint());

    /// <summary>Only a page that is as its reference says may name the pages below it.</summary>
    private void Finish(bool isAsReferred)
    {
        Require(isAsReferred && _rest.IsEmpty);
        _page.Children ??= [.. _children];
    }

    private Bytes32 Hash() => new(Take(Bytes32.Size));

    private ReadOnlySpan<byte> Bytes() => Take(Number());

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        Require(count <= _rest.Length);
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private int Number()
    {
        var number = Varint();
        Require(number <= int.MaxValue);
        return (int)number;
    }

    private ulong Varint()
    {
        var number = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return number;
        }

        throw Damaged();
    }

    private static void Require(bool condition)
    {
        if (!condition) throw Damaged();
    }

    private static RadixPageException Damaged() => new("a page of a radix tree is damaged");
}
