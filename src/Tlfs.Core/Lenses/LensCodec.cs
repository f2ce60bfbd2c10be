using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;

namespace Tlfs.Core.Lenses;

/// <summary>Lenses and kinds as canonical CBOR arrays (docs/protocol/operations.md §1, §2.1).</summary>
public static class LensCodec
{
    /// <summary>The canonical bytes of one lens.</summary>
    public static byte[] Encode(Lens lens) => Canonical.Encode(writer => Write(writer, lens));

    /// <summary>Decodes one lens from outside; at most <see cref="Limits.LensDepth"/> lenses may stand around the innermost one.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [MaybeNullWhen(false)] out Lens lens, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.LensListBytes, Read, out lens, out error);

    internal static Lens Read(CanonicalReader reader) => Read(reader, Limits.LensDepth);

    internal static void Write(CanonicalWriter writer, Lens lens)
    {
        switch (lens)
        {
            case Make make: Write(writer, 0, make.Kind); break;
            case Destroy destroy: Write(writer, 1, destroy.Kind); break;
            case AddProperty add: Write(writer, 2, add.Name); break;
            case RemoveProperty remove: Write(writer, 3, remove.Name); break;
            case RenameProperty rename: Write(writer, 4, rename.From, rename.To); break;
            case HoistProperty hoist: Write(writer, 5, hoist.Host, hoist.Target); break;
            case PlungeProperty plunge: Write(writer, 6, plunge.Host, plunge.Target); break;
            case LensIn within: Write(writer, 7, within.Inner, within.Name); break;
            case LensMap map: Write(writer, 8, map.Inner); break;
            case LensMapValue map: Write(writer, 9, map.Inner); break;
            default: throw new InvalidOperationException("not a lens");
        }
    }

    private static Lens Read(CanonicalReader reader, int depthLeft)
    {
        var count = reader.BeginArrayUpTo(3);
        var code = count > 0 ? reader.SmallInt(9) : -1;
        CanonicalReader.Require(count == (code is >= 4 and <= 7 ? 3 : 2), "a lens of another length expected");
        Lens lens = code switch
        {
            0 => new Make(ReadKind(reader)),
            1 => new Destroy(ReadKind(reader)),
            2 => new AddProperty(Name(reader)),
            3 => new RemoveProperty(Name(reader)),
            4 => new RenameProperty(Name(reader), Name(reader)),
            5 => new HoistProperty(Name(reader), Name(reader)),
            6 => new PlungeProperty(Name(reader), Name(reader)),
            7 => new LensIn(Name(reader), Inner(reader, depthLeft)),
            8 => new LensMap(Inner(reader, depthLeft)),
            _ => new LensMapValue(Inner(reader, depthLeft)),
        };
        reader.EndArray();
        return lens;
    }

    private static Lens Inner(CanonicalReader reader, int depthLeft)
    {
        CanonicalReader.Require(depthLeft > 0, "lenses nest too deep", Reason.TooLarge);
        return Read(reader, depthLeft - 1);
    }

    private static Kind ReadKind(CanonicalReader reader)
    {
        var count = reader.BeginArrayUpTo(2);
        var code = (KindCode)(count > 0 ? reader.SmallInt((int)KindCode.EWFlag) : 0);
        var primitive = count == 2 ? (Primitive)reader.SmallInt((int)Primitive.Bytes) : Primitive.Bool;
        CanonicalReader.Require(code != KindCode.Null, "a kind other than Null expected");
        CanonicalReader.Require((count == 2) == code is KindCode.Table or KindCode.MVReg, "a kind of another length expected");
        CanonicalReader.Require(code != KindCode.Table || primitive != Primitive.F64, "f64 is not a table key");
        reader.EndArray();
        return code switch
        {
            KindCode.Struct => Kind.Struct,
            KindCode.Table => Kind.Table(primitive),
            KindCode.Array => Kind.Array,
            KindCode.MVReg => Kind.MVReg(primitive),
            KindCode.EWFlag or KindCode.Null => Kind.EWFlag,
        };
    }

    private static string Name(CanonicalReader reader)
    {
        var name = reader.Text(Limits.NameBytes);
        CanonicalReader.Require(Names.IsValid(name), "not a name");
        return name;
    }

    private static void Write(CanonicalWriter writer, ulong code, Kind kind)
    {
        writer.BeginArray(2);
        writer.UInt(code);
        writer.BeginArray(kind.HasPrimitive ? 2 : 1);
        writer.UInt((ulong)kind.Code);
        if (kind.HasPrimitive) writer.UInt((ulong)kind.Primitive);
        writer.EndArray();
        writer.EndArray();
    }

    private static void Write(CanonicalWriter writer, ulong code, params ReadOnlySpan<string> names)
    {
        writer.BeginArray(1 + names.Length);
        writer.UInt(code);
        foreach (var name in names) writer.Text(name);
        writer.EndArray();
    }

    private static void Write(CanonicalWriter writer, ulong code, Lens inner, params ReadOnlySpan<string> names)
    {
        writer.BeginArray(2 + names.Length);
        writer.UInt(code);
        foreach (var name in names) writer.Text(name);
        Write(writer, inner);
        writer.EndArray();
    }
}
