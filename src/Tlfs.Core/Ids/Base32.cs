namespace Tlfs.Core.Ids;

/// <summary>RFC 4648 base32 in lower case without padding; only the one canonical text of each value is accepted.</summary>
public static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Encodes bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        int buffer = 0, bits = 0, at = 0;
        foreach (var value in bytes)
        {
            buffer = ((buffer & 0x1f) << 8) | value;
            bits += 8;
            while (bits >= 5) text[at++] = Alphabet[(buffer >> (bits -= 5)) & 31];
        }

        if (bits > 0) text[at] = Alphabet[(buffer << (5 - bits)) & 31];
        return new string(text);
    }

    /// <summary>Decodes text of any length; false for other letters, a length that no bytes have, or non-zero trailing bits.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = new byte[text.Length * 5 / 8];
        return TryDecode(text, bytes.AsSpan());
    }

    /// <summary>Decodes into exactly <paramref name="destination"/>; false for other letters, another length or non-zero trailing bits.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination)
    {
        if (text.Length != (destination.Length * 8 + 4) / 5) return false;
        int buffer = 0, bits = 0, at = 0;
        foreach (var letter in text)
        {
            var value = Alphabet.IndexOf(letter, StringComparison.Ordinal);
            if (value < 0) return false;
            buffer = ((buffer & 0xff) << 5) | value;
            bits += 5;
            if (bits >= 8) destination[at++] = (byte)((buffer >> (bits -= 8)) & 0xff);
        }

        return (buffer & ((1 << bits) - 1)) == 0;
    }
}
