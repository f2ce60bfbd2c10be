using System.Buffers.Binary;

namespace Tlfs.Core.Crdt;

/// <summary>Values in a state's tree: the kind and then 8 bytes, a byte, UTF-8 or the bytes. Never on the wire.</summary>
internal static class StoredValue
{
    public static byte[] Encode(Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Null: return [(byte)ValueKind.Null];
            case ValueKind.Bool: return [(byte)ValueKind.Bool, value.AsBool ? (byte)1 : (byte)0];
            case ValueKind.Unsigned: return Number(ValueKind.Unsigned, value.AsUInt64);
            case ValueKind.Negative: return Number(ValueKind.Negative, unchecked((ulong)value.AsInt64));
            case ValueKind.Float: return Number(ValueKind.Float, BitConverter.DoubleToUInt64Bits(value.AsDouble));
            case ValueKind.Text: return Text(value.AsString);
            case ValueKind.Bytes: return [(byte)ValueKind.Bytes, .. value.AsBytes];
            default: throw new InvalidOperationException("not a value");
        }
    }

    public static Value Decode(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes[1..];
        return (ValueKind)bytes[0] switch
        {
            ValueKind.Null => Value.Null,
            ValueKind.Bool => Value.Of(rest[0] != 0),
            ValueKind.Unsigned => Value.Of(BinaryPrimitives.ReadUInt64BigEndian(rest)),
            ValueKind.Negative => Value.Of(BinaryPrimitives.ReadInt64BigEndian(rest)),
            ValueKind.Float => Value.Of(BitConverter.UInt64BitsToDouble(BinaryPrimitives.ReadUInt64BigEndian(rest))),
            ValueKind.Text => Value.Of(System.Text.Encoding.UTF8.GetString(rest)),
            ValueKind.Bytes => Value.Of(rest),
            _ => throw new InvalidOperationException("not a value"),
        };
    }

    private static byte[] Number(ValueKind kind, ulong number)
    {
        var bytes = new byte[9];
        bytes[0] = (byte)kind;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(1), number);
        return bytes;
    }

    private static byte[] Text(string text)
    {
        var bytes = new byte[1 + System.Text.Encoding.UTF8.GetByteCount(text)];
        bytes[0] = (byte)ValueKind.Text;
        System.Text.Encoding.UTF8.GetBytes(text, bytes.AsSpan(1));
        return bytes;
    }
}
