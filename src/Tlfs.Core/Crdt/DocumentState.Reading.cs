using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

// What the state shows.
public sealed partial class DocumentState
{
    /// <summary>True if a live put is at or under the path: then a row or element exists.</summary>
    public bool Exists(StoragePath path) => CountAt(path.Bytes) > 0;

    /// <summary>The live puts at the path, by dot.</summary>
    public IReadOnlyList<LivePut> Puts(StoragePath path) =>
        [.. PutsAt(path.Bytes).Select(put => new LivePut(_parts.Dot(put.Dot), put.Value)).OrderBy(put => put.Dot)];

    /// <summary>The keys and elements under the path that exist, in storage order. For an array's order ask <see cref="Elements"/>.</summary>
    public IReadOnlyList<Segment> Keys(StoragePath path) => [.. KeysAt(path.Bytes.ToArray())];

    /// <summary>The elements of the array at the path that are shown, in order.</summary>
    public IReadOnlyList<Uid> Elements(StoragePath path) => [.. Shown(path).Select(element => element.Element)];

    /// <summary>The dots of all live puts at or under the path, and of all live places of arrays at or under it, ascending.</summary>
    public IReadOnlyList<Dot> LiveDots(StoragePath path)
    {
        var dots = PutsUnder(path, withSelf: true).Concat(PlacesUnder(path)).Select(_parts.Dot).ToList();
        dots.Sort();
        return dots;
    }

    /// <summary>
    /// A chain of SHA-256 over the live puts and each element's deciding place, in storage order: equal on replicas whose states mean the same. Takes
    /// time proportional to the state; for tests and checks.
    /// </summary>
    public Bytes32 StateHash()
    {
        var hash = default(Bytes32);
        foreach (var path in Paths(StateTag.Live))
            foreach (var put in Puts(DecodePath(path.Span)))
                hash = Chain(hash, path.Span, put.Dot, StoredValue.Encode(put.Value));
        foreach (var path in Paths(StateTag.Place))
        {
            var element = DecodePath(path.Span).Segments[^1];
            var (dot, position) = _order.Deciding(path.Span[..^element.EncodedBytes], element.Element)!.Value;
            hash = Chain(hash, path.Span, _parts.Dot(dot), position.Bytes);
        }

        return hash;
    }

    /// <summary>Everything kept but the numbers of parts: nothing if nothing is applied.</summary>
    internal int KnownCount => _tree.Count - _tree.CountUnder([(byte)StateTag.Part]) - _tree.CountUnder([(byte)StateTag.PartName]);

    internal ElementList Shown(StoragePath array) => _order.Shown(array.Bytes);

    internal ElementList Shown(ReadOnlySpan<byte> array) => _order.Shown(array);

    /// <summary>The index of an element, or that which it would have if it existed.</summary>
    internal int IndexOf(StoragePath array, Uid element) =>
        _order.Deciding(array.Bytes, element) is { } place ? Shown(array).IndexOf(new(element, place.Position)) : Shown(array).Count;

    /// <summary>True if a row or element is shown: something is live in it, and an element has a place.</summary>
    internal bool Shows(StoragePath row) => Exists(row)
        && (row.Segments[^1] is not { Kind: SegmentKind.Element } element || _order.Deciding(row.Bytes[..^element.EncodedBytes], element.Element) is not null);

    /// <summary>The envelope whose operation decides what stands at or under a path: that of the last put, null if there is none.</summary>
    internal EnvelopeId? LastAt(StoragePath path)
    {
        byte[] prefix = [(byte)StateTag.Live, .. path.Bytes];
        return _tree.TryLast(prefix, out var entry) ? _parts.Name(LocalDot.From(entry.Key.Span[^LocalDot.Size..]).Part).Envelope : null;
    }

    /// <summary>The envelope that placed an element where it is.</summary>
    internal EnvelopeId? Placed(StoragePath array, Uid element) =>
        _order.Deciding(array.Bytes, element) is { } place ? _parts.Name(place.Dot.Part).Envelope : null;

    /// <summary>An envelope that removed an operation.</summary>
    internal EnvelopeId? RemoverOf(LocalDot dot)
    {
        var prefix = new StateKey(stackalloc byte[StateKey.Size([])], StateTag.Removal, []).Dot(dot).Bytes;
        return _tree.TryLast(prefix, out var entry) ? _parts.Name(LocalDot.From(entry.Key.Span[^LocalDot.Size..]).Part).Envelope : null;
    }

    /// <summary>The envelopes that removed an operation.</summary>
    internal IReadOnlyList<EnvelopeId> RemoversOf(Dot dot)
    {
        var (number, _) = _parts.Of(dot.Envelope, dot.Part);
        var local = new LocalDot(PartNumbers.Prefix(dot.Envelope), number, (ushort)dot.Index);
        var prefix = new StateKey(stackalloc byte[StateKey.Size([])], StateTag.Removal, []).Dot(local).Bytes.ToArray();
        return [.. _tree.Scan(prefix).Select(entry => _parts.Name(LocalDot.From(entry.Key.Span[^LocalDot.Size..]).Part).Envelope)];
    }

    internal List<LocalDot> LivePlaces(StoragePath array, Uid element) => _order.Live(array.Bytes, element);

    internal bool Knows(StoragePath array, Uid element) => _order.Knows(array.Bytes, element) || Exists(array.Bytes, element);

    internal Dot Name(LocalDot dot) => _parts.Dot(dot);

    /// <summary>The live values at a path, the one of the greatest dot last.</summary>
    internal List<Value> ValuesAt(ReadOnlySpan<byte> path)
    {
        var puts = PutsAt(path);
        for (var i = 1; i < puts.Count; i++)
            if (puts[i].Dot.Prefix == puts[i - 1].Dot.Prefix) return [.. puts.OrderBy(put => _parts.Dot(put.Dot)).Select(put => put.Value)];
        return puts.ConvertAll(put => put.Value);
    }

    /// <summary>The segments that follow the path and under which something is live, in storage order.</summary>
    internal IEnumerable<Segment> KeysAt(byte[] path)
    {
        byte[] prefix = [(byte)StateTag.Live, .. path];
        var from = prefix;
        while (_tree.TryFirst(prefix, from, out var entry))
        {
            var rest = entry.Key.Span[prefix.Length..];
            if (rest[0] == 0)
            {
                // The puts at the path itself come first; segments begin with 1 at least.
                from = [.. prefix, 1];
                continue;
            }

            if (!Segment.TryRead(rest, out var segment, out var used)) throw new InvalidOperationException("not a segment");
            yield return segment;

            // Behind the segment stands 0 or another segment's tag, so FF is behind all that is under it.
            from = [.. entry.Key.Span[..(prefix.Length + used)], 0xFF];
        }
    }

    /// <summary>The live puts under a path, those at the path itself included or not.</summary>
    internal IEnumerable<LocalDot> PutsUnder(StoragePath path, bool withSelf)
    {
        byte[] prefix = [(byte)StateTag.Live, .. path.Bytes];
        var entries = withSelf ? _tree.Scan(prefix) : _tree.ScanFrom(prefix, (byte[])[.. prefix, 1]);
        return entries.Select(entry => LocalDot.From(entry.Key.Span[^LocalDot.Size..]));
    }

    /// <summary>Where the live puts at and under a path stand, by dot.</summary>
    internal Dictionary<Dot, StoragePath> PutsAtAndUnder(StoragePath path) => PathsOfPuts(path).ToDictionary(put => _parts.Dot(put.Key), put => put.Value);

    /// <summary>What the state shows consists of these operations, each with its path: the live puts, and of each element the place that decides.</summary>
    internal IEnumerable<(Dot Dot, StoragePath Path)> ShownOperations()
    {
        foreach (var entry in _tree.Scan((byte[])[(byte)StateTag.Live]))
            yield return (_parts.Dot(LocalDot.From(entry.Key.Span[^LocalDot.Size..])), DecodePath(entry.Key.Span[1..^(LocalDot.Size + 1)]));
        foreach (var path in Paths(StateTag.Place))
        {
            var element = DecodePath(path.Span);
            var place = _order.Deciding(path.Span[..^element.Segments[^1].EncodedBytes], element.Segments[^1].Element)!.Value;
            yield return (_parts.Dot(place.Dot), element.Parent);
        }
    }

    /// <summary>Where the live puts at and under a path stand, by dot.</summary>
    private Dictionary<LocalDot, StoragePath> PathsOfPuts(StoragePath path) => _tree.Scan((byte[])[(byte)StateTag.Live, .. path.Bytes]).ToDictionary(
        entry => LocalDot.From(entry.Key.Span[^LocalDot.Size..]), entry => DecodePath(entry.Key.Span[1..^(LocalDot.Size + 1)]));

    /// <summary>The live puts at a path.</summary>
    internal List<(LocalDot Dot, Value Value)> PutsAt(ReadOnlySpan<byte> path)
    {
        var puts = new List<(LocalDot, Value)>();
        var prefix = new StateKey(stackalloc byte[StateKey.Size(path)], StateTag.Live, path).End().Bytes;
        if (_tree.CountUnder(prefix) == 0) return puts;
        foreach (var entry in _tree.Scan(prefix.ToArray()))
            puts.Add((LocalDot.From(entry.Key.Span[^LocalDot.Size..]), StoredValue.Decode(entry.Value.Span)));
        return puts;
    }

    /// <summary>The live places of the arrays at and under a path.</summary>
    internal IEnumerable<LocalDot> PlacesUnder(StoragePath path)
    {
        byte[] prefix = [(byte)StateTag.Place, .. path.Bytes];
        return _tree.ScanFrom(prefix, (byte[])[.. prefix, 1])
            .Where(entry => entry.Key.Span[^(LocalDot.Size + 1)] == 1)
            .Select(entry => LocalDot.From(entry.Key.Span[^LocalDot.Size..]));
    }

    // The distinct paths of all keys with the tag, in storage order.
    private IEnumerable<ReadOnlyMemory<byte>> Paths(StateTag tag)
    {
        byte[] prefix = [(byte)tag];
        var tail = tag == StateTag.Place ? LocalDot.Size + 2 : LocalDot.Size + 1;
        ReadOnlyMemory<byte> last = default;
        var first = true;
        foreach (var entry in _tree.Scan(prefix))
        {
            var path = entry.Key[1..^tail];
            if (!first && path.Span.SequenceEqual(last.Span)) continue;
            (first, last) = (false, path);
            yield return path;
        }
    }

    private static StoragePath DecodePath(ReadOnlySpan<byte> bytes) =>
        StoragePath.TryDecode(bytes, out var path, out _) ? path : throw new InvalidOperationException("not a path");

    private static Bytes32 Chain(Bytes32 hash, ReadOnlySpan<byte> path, Dot dot, ReadOnlySpan<byte> value)
    {
        Span<byte> name = stackalloc byte[Bytes32.Size + 6];
        dot.Envelope.Value.CopyTo(name);
        BinaryPrimitives.WriteUInt16BigEndian(name[Bytes32.Size..], dot.Part);
        BinaryPrimitives.WriteUInt32BigEndian(name[(Bytes32.Size + 2)..], dot.Index);
        return Hashing.Sha256(ByteArrays.Concat(hash.ToArray(), name, [(byte)path.Length, (byte)(path.Length >> 8)], path, value));
    }
}
