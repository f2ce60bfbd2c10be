using System.Buffers.Binary;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;

namespace Tlfs.Core.Crdt;

/// <summary>The numbers, from 1, that a state gives to the parts it hears of, applied or only named by a remove.</summary>
internal sealed class PartNumbers(RadixEditor tree)
{
    private const int NameBytes = 1 + Bytes32.Size + 2;

    private (uint Number, EnvelopeId Envelope, ushort Part) _last;

    /// <summary>The part's number, made if it has none, and whether it is applied.</summary>
    public (uint Number, bool Applied) Of(EnvelopeId envelope, ushort part)
    {
        Span<byte> name = stackalloc byte[NameBytes];
        WriteName(name, envelope, part);
        if (tree.TryGet(name, out var known)) return Read(known.Span);
        var number = (uint)tree.CountUnder([(byte)StateTag.PartName]) + 1;
        Write(name, number, applied: false);
        tree.Set(NumberKey(stackalloc byte[5], number), name[1..]);
        return (number, false);
    }

    /// <summary>The part's number if it is applied, else 0.</summary>
    public uint Applied(EnvelopeId envelope, ushort part)
    {
        Span<byte> name = stackalloc byte[NameBytes];
        WriteName(name, envelope, part);
        return tree.TryGet(name, out var known) && Read(known.Span) is (var number, true) ? number : 0;
    }

    public void SetApplied(EnvelopeId envelope, ushort part, uint number, bool applied)
    {
        Span<byte> name = stackalloc byte[NameBytes];
        WriteName(name, envelope, part);
        Write(name, number, applied);
    }

    /// <summary>The part with that number; number 0 is the edit under way.</summary>
    public (EnvelopeId Envelope, ushort Part) Name(uint number)
    {
        if (number == 0) return default;
        if (_last.Number == number) return (_last.Envelope, _last.Part);
        if (!tree.TryGet(NumberKey(stackalloc byte[5], number), out var name)) throw new InvalidOperationException("a part without a name");
        _last = (number, new(new Bytes32(name.Span[..Bytes32.Size])), BinaryPrimitives.ReadUInt16BigEndian(name.Span[Bytes32.Size..]));
        return (_last.Envelope, _last.Part);
    }

    /// <summary>The dot that a local dot stands for.</summary>
    public Dot Dot(LocalDot dot)
    {
        var (envelope, part) = Name(dot.Part);
        return new(envelope, part, dot.Index);
    }

    public static ulong Prefix(EnvelopeId envelope)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        envelope.Value.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    // What was rolled back may have had this number.
    public void Forget() => _last = default;

    private void Write(ReadOnlySpan<byte> name, uint number, bool applied)
    {
        Span<byte> value = stackalloc byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(value, number);
        value[4] = applied ? (byte)1 : (byte)0;
        tree.Set(name, value);
    }

    private static (uint Number, bool Applied) Read(ReadOnlySpan<byte> value) => (BinaryPrimitives.ReadUInt32BigEndian(value), value[4] != 0);

    private static void WriteName(Span<byte> name, EnvelopeId envelope, ushort part)
    {
        name[0] = (byte)StateTag.Part;
        envelope.Value.CopyTo(name[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(name[(1 + Bytes32.Size)..], part);
    }

    private static ReadOnlySpan<byte> NumberKey(Span<byte> key, uint number)
    {
        key[0] = (byte)StateTag.PartName;
        BinaryPrimitives.WriteUInt32BigEndian(key[1..], number);
        return key;
    }
}
