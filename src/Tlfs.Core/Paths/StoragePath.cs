using Tlfs.Core.Encoding;

namespace Tlfs.Core.Paths;

/// <summary>
/// The place of a value: a chain of field ids, table keys and element uids (docs/protocol/encoding.md §5). Equality and order are those of its
/// bytes; ancestry compares whole segments.
/// </summary>
public sealed class StoragePath : IEquatable<StoragePath>, IComparable<StoragePath>
{
    private readonly byte[] _bytes;

    private StoragePath(byte[] bytes, IReadOnlyList<Segment> segments)
    {
        _bytes = bytes;
        Segments = segments;
    }

    /// <summary>The document itself.</summary>
    public static StoragePath Root { get; } = new([], []);

    /// <summary>The segments from the root down.</summary>
    public IReadOnlyList<Segment> Segments { get; }

    /// <summary>The encoded path.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Makes a path of segments. Too many or too long is a <see cref="TlfsException"/> with <see cref="Reason.TooLarge"/>.</summary>
    public static StoragePath Of(IReadOnlyList<Segment> segments)
    {
        var length = 0;
        foreach (var segment in segments) length += segment.EncodedBytes;
        if (segments.Count > Limits.PathSegments || length > Limits.PathBytes)
            throw new TlfsException(Reason.TooLarge, $"a path has at most {Limits.PathSegments} segments and {Limits.PathBytes} bytes");
        var bytes = new byte[length];
        var rest = bytes.AsSpan();
        foreach (var segment in segments) rest = rest[segment.Write(rest)..];
        return new(bytes, segments);
    }

    /// <summary>The path one segment above this one; the root has none.</summary>
    public StoragePath Parent => Segments.Count > 0 ? Of([.. Segments.SkipLast(1)]) : throw new InvalidOperationException("nothing is above the root");

    /// <summary>The table keys and elements on the way, from the root down.</summary>
    public IReadOnlyList<Segment> Keys => [.. Segments.Where(segment => segment.Kind != SegmentKind.Field)];

    /// <summary>The path one segment below this one.</summary>
    public StoragePath Append(Segment segment) => Of([.. Segments, segment]);

    /// <summary>Decodes a path from outside.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out StoragePath path, out DecodeError error)
    {
        path = Root;
        error = new(Reason.Malformed, "not a storage path");
        if (bytes.Length > Limits.PathBytes) return false;
        var segments = new List<Segment>();
        var rest = bytes;
        while (!rest.IsEmpty)
        {
            if (segments.Count == Limits.PathSegments || !Segment.TryRead(rest, out var segment, out var used)) return false;
            segments.Add(segment);
            rest = rest[used..];
        }

        error = default;
        path = new(bytes.ToArray(), segments);
        return true;
    }

    /// <summary>True if the other path is this one or below it.</summary>
    public bool Contains(StoragePath other)
    {
        if (other.Segments.Count < Segments.Count) return false;
        for (var i = 0; i < Segments.Count; i++)
            if (!Segments[i].Equals(other.Segments[i])) return false;
        return true;
    }

    /// <inheritdoc />
    public bool Equals(StoragePath? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as StoragePath);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <inheritdoc />
    public int CompareTo(StoragePath? other) => other is null ? 1 : _bytes.AsSpan().SequenceCompareTo(other._bytes);

    /// <summary>Hexadecimal, for diagnostics; storage paths hold table keys, so do not log them.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);
}
