using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>What a key of a state's tree is about: its first byte.</summary>
internal enum StateTag : byte
{
    /// <summary>path, 0, dot → value: the live puts.</summary>
    Live = (byte)'L',
    /// <summary>path of an element, 0, 1 if live else 0, dot → position: all places.</summary>
    Place = (byte)'P',
    /// <summary>path of an array, 0, position, uid → nothing: the shown elements in their order.</summary>
    Order = (byte)'O',
    /// <summary>dot, dot of the remove → path of the remove, or nothing if it is that of the operation.</summary>
    Removal = (byte)'R',
    /// <summary>envelope and part → number, 1 if applied else 0.</summary>
    Part = (byte)'A',
    /// <summary>number → envelope and part.</summary>
    PartName = (byte)'N',
}

/// <summary>
/// Writes a key of a state's tree. Segments are self-delimiting and begin with a byte from 1 to 0x14, so a 0 after a path cannot be taken for a longer
/// path, and a path's bytes are a prefix of exactly what stands at and under it.
/// </summary>
internal ref struct StateKey
{
    /// <summary>Room for whatever follows a path: a segment, a position, a dot.</summary>
    private const int Rest = 32 + (2 * Limits.PositionBytes);

    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Begins a key in a buffer of <see cref="Size"/> bytes.</summary>
    public StateKey(Span<byte> buffer, StateTag tag, ReadOnlySpan<byte> path)
    {
        _buffer = buffer;
        _buffer[0] = (byte)tag;
        path.CopyTo(_buffer[1..]);
        _length = 1 + path.Length;
    }

    public readonly ReadOnlySpan<byte> Bytes => _buffer[.._length];

    public static int Size(ReadOnlySpan<byte> path) => path.Length + Rest;

    /// <summary>Ends the path.</summary>
    public StateKey End() => Byte(0);

    public StateKey Byte(byte value)
    {
        _buffer[_length++] = value;
        return this;
    }

    public StateKey Segment(Segment segment)
    {
        _length += segment.Write(_buffer[_length..]);
        return this;
    }

    public StateKey Dot(LocalDot dot)
    {
        dot.CopyTo(_buffer[_length..]);
        _length += LocalDot.Size;
        return this;
    }

    /// <summary>A position and its element. Zero bytes are followed by FF and the end is two zeros, so that a shorter position comes first.</summary>
    public StateKey Position(Position position, Uid element)
    {
        foreach (var digit in position.Bytes)
        {
            _buffer[_length++] = digit;
            if (digit == 0) _buffer[_length++] = 0xFF;
        }

        _buffer[_length++] = 0;
        _buffer[_length++] = 0;
        element.CopyTo(_buffer[_length..]);
        _length += Uid.Size;
        return this;
    }

    /// <summary>Takes a key of <see cref="StateTag.Order"/> apart, from behind the path's end.</summary>
    public static (Uid Element, Position Position) ReadOrder(ReadOnlySpan<byte> rest)
    {
        Span<byte> digits = stackalloc byte[Limits.PositionBytes];
        var (at, count) = (0, 0);
        while (rest[at] != 0 || rest[at + 1] != 0)
        {
            digits[count++] = rest[at];
            at += rest[at] == 0 ? 2 : 1;
        }

        if (!Crdt.Position.TryFrom(digits[..count], out var position)) throw new InvalidOperationException("not a position");
        return (Uid.From(rest[(at + 2)..]), position);
    }
}
