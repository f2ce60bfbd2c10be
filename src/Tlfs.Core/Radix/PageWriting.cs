using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// Encodes what is not stored yet. Children come before their parents; when the content of a node would be too long, its largest children become
/// pages, so a page is a connected piece of the tree.
/// </summary>
internal sealed class PageWriting(RadixStore store, Func<ReadOnlyMemory<byte>, long> append)
{
    private readonly List<StoredPage> _references = [];
    private byte[] _bytes = new byte[64 * 1024];
    private int _length;

    /// <summary>Pages made.</summary>
    public List<StoredPage> Written { get; } = [];

    /// <summary>Pages that were there before and are referred to.</summary>
    public HashSet<StoredPage> Kept { get; } = [];

    /// <summary>Writes the page of a root.</summary>
    public StoredPage Root(Node root)
    {
        Byte(PageReader.Version);
        Bytes(root.Label);
        Content(root);
        return Append(new(0, 0, _length, 0), isRoot: true);
    }

    private void Content(Node node)
    {
        if (IsStored(node))
        {
            Kept.Add(node.Stored!);
            Reference(node);
            return;
        }

        if (node is Stub stub) node = stub.Load();
        if (node is Inner inner) Inner(inner);
        else if (node is LongLeaf leaf) Long(leaf);
        else Entry(node);
    }

    private bool IsStored(Node node) => node.Stored is { IsLive: true } at && ReferenceEquals(at.Store, store);

    private void Inner(Inner inner)
    {
        Byte((byte)(PageContent.Plain + (inner.IsWide ? 2 : 0) + (inner.HasValue ? 1 : 0)));
        Number((uint)inner.ChildCount);
        if (inner.HasValue) Bytes(inner.Value.Span);
        if (inner.IsWide) Number((uint)inner.Width);
        var parts = new Part[inner.ChildCount];
        var start = _length;
        for (var i = 0; i < parts.Length; i++)
        {
            if (inner.IsWide) Byte(inner.Firsts[i]);
            else Bytes(inner.Children[i].Label);
            var (at, references) = (_length, _references.Count);
            Content(inner.Children[i]);
            parts[i] = new(at, references, _length, _references.Count);
        }

        if (_length - start > PageContent.Target) Spill(inner, parts, start);
    }

    /// <summary>Moves the largest children to pages until the rest is short enough.</summary>
    private void Spill(Inner inner, Part[] parts, int start)
    {
        var length = _length - start;
        var moved = new bool[parts.Length];
        foreach (var i in Enumerable.Range(0, parts.Length).OrderByDescending(i => parts[i].Length))
        {
            if (length <= PageContent.Target || parts[i].Length < PageContent.Least) break;
            inner.Children[i].Resolved.Stored = Append(parts[i], isRoot: false);
            moved[i] = true;
            length -= parts[i].Length;
        }

        var bytes = _bytes.AsSpan(start, _length - start).ToArray();
        var first = parts[0].References;
        var references = _references[first..];
        _references.RemoveRange(first, _references.Count - first);
        _length = start;
        for (var (i, copied) = (0, start); i < parts.Length; i++)
        {
            var part = parts[i];
            Raw(bytes.AsSpan(copied - start, part.Start - copied));
            copied = part.End;
            if (moved[i])
            {
                Reference(inner.Children[i].Resolved);
                continue;
            }

            Raw(bytes.AsSpan(part.Start - start, part.Length));
            _references.AddRange(references[(part.References - first)..(part.ReferencesEnd - first)]);
        }
    }

    private void Long(LongLeaf leaf)
    {
        var part = new Part(_length, _references.Count, 0, 0);
        Entry(leaf);
        leaf.Stored = Append(part with { End = _length, ReferencesEnd = _references.Count }, isRoot: false);
        _length = part.Start;
        Reference(leaf);
    }

    private StoredPage Append(Part part, bool isRoot)
    {
        var content = _bytes.AsSpan(part.Start, part.Length);
        byte[] page = isRoot ? [.. content] : [PageReader.Version, .. content];
        var stored = new StoredPage(store, append(page), isRoot)
        {
            Children = isRoot ? [.. _references] : [.. _references[part.References..part.ReferencesEnd]],
        };
        Written.Add(stored);
        return stored;
    }

    private void Reference(Node node)
    {
        var hash = node switch
        {
            Stub stub => stub.Hash,
            Inner inner => inner.Hash,
            _ => NodeHashing.LongValue(node.Value.Span),
        };
        var isLong = node is LongLeaf or Stub { IsLongValue: true };
        Byte(isLong ? PageContent.LongValue : PageContent.Reference);
        Number((ulong)node.Stored!.Number);
        if (!isLong) Number((uint)node.Count);
        Reserve(Bytes32.Size);
        hash.CopyTo(_bytes.AsSpan(_length));
        _length += Bytes32.Size;
        _references.Add(node.Stored);
    }

    private void Entry(Node leaf)
    {
        Byte(PageContent.Entry);
        Bytes(leaf.Value.Span);
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number((uint)bytes.Length);
        Raw(bytes);
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Number(ulong number)
    {
        for (; number >= 0x80; number >>= 7) Byte((byte)((number & 0x7F) | 0x80));
        Byte((byte)number);
    }

    private void Byte(byte value)
    {
        Reserve(1);
        _bytes[_length++] = value;
    }

    private void Reserve(int count)
    {
        if (_length + count > _bytes.Length) Array.Resize(ref _bytes, (_length + count) * 2);
    }

    /// <summary>A child's content in the buffer, and what it refers to in the list.</summary>
    private readonly record struct Part(int Start, int References, int End, int ReferencesEnd)
    {
        public int Length => End - Start;
    }
}
