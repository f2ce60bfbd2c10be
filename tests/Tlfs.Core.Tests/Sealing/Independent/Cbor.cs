namespace Tlfs.Core.Tests.Sealing.Independent;

/// <summary>One item of deterministic CBOR (docs/protocol/encoding.md §1), read without a library.</summary>
internal sealed class Cbor
{
    private static readonly System.Text.UTF8Encoding Strict = new(false, true);

    public ulong? Number { get; private init; }

    public byte[]? Bytes { get; private init; }

    public List<Cbor>? Items { get; private init; }

    public byte[] Encoded { get; private init; } = [];

    /// <summary>The one item that the bytes are, or null.</summary>
    public static Cbor? TryRead(byte[] bytes)
    {
        var at = 0;
        try
        {
            var item = Read(bytes, ref at, 0);
            return at == bytes.Length ? item : null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static Cbor Read(byte[] bytes, ref int at, int depth)
    {
        var start = at;
        int kind = bytes[at] >> 5, info = bytes[at++] & 31;
        if (depth > 1_000) throw new FormatException("too deep");
        if (kind == 7) return Simple(bytes, ref at, start, info);
        var value = Argument(bytes, ref at, info);
        switch (kind)
        {
            case 0: return new() { Number = value, Encoded = bytes[start..at] };
            case 1 when value <= long.MaxValue: return new() { Encoded = bytes[start..at] };
            case 2 or 3:
                var content = bytes[at..checked(at + (int)value)];
                at += content.Length;
                if (kind == 3) Strict.GetCharCount(content);
                return new() { Bytes = kind == 2 ? content : null, Encoded = bytes[start..at] };
            case 4:
                var items = new List<Cbor>();
                for (ulong i = 0; i < value; i++) items.Add(Read(bytes, ref at, depth + 1));
                return new() { Items = items, Encoded = bytes[start..at] };
            case 5:
                for (ulong i = 0, least = 0; i < value; i++)
                {
                    if (Read(bytes, ref at, depth + 1).Number is not (< 24 and var key) || key < least) throw new FormatException("key");
                    least = key + 1;
                    Read(bytes, ref at, depth + 1);
                }

                return new() { Encoded = bytes[start..at] };
            default: throw new FormatException("a kind that is not used");
        }
    }

    private static ulong Argument(byte[] bytes, ref int at, int info)
    {
        if (info < 24) return (ulong)info;
        if (info > 27) throw new FormatException("length");
        ulong value = 0;
        for (var left = 1 << (info - 24); left > 0; left--) value = (value << 8) | bytes[at++];
        return value >= info switch { 24 => 24UL, 25 => 1UL << 8, 26 => 1UL << 16, _ => 1UL << 32 } ? value : throw new FormatException("not the shortest");
    }

    private static Cbor Simple(byte[] bytes, ref int at, int start, int info)
    {
        var width = info switch { 20 or 21 or 22 => 0, 25 => 2, 26 => 4, 27 => 8, _ => throw new FormatException("simple") };
        var raw = bytes[at..(at + width)];
        at += width;
        if (width == 0) return new() { Encoded = bytes[start..at] };
        Array.Reverse(raw);
        var value = width switch { 2 => (double)BitConverter.ToHalf(raw), 4 => BitConverter.ToSingle(raw), _ => BitConverter.ToDouble(raw) };
        var shortest = (double)(Half)value == value ? 2 : (double)(float)value == value ? 4 : 8;
        return double.IsFinite(value) && width == shortest ? new() { Encoded = bytes[start..at] } : throw new FormatException("number");
    }
}
