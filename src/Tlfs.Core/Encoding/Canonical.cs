using System.Diagnostics.CodeAnalysis;
using System.Formats.Cbor;

namespace Tlfs.Core.Encoding;

/// <summary>
/// Deterministic CBOR (docs/protocol/encoding.md §1). This is the boundary at which malformed bytes become a <see cref="DecodeError"/>:
/// no exception leaves <see cref="TryDecode{T}"/> for any input.
/// </summary>
public static class Canonical
{
    /// <summary>Encodes one value.</summary>
    public static byte[] Encode(Action<CanonicalWriter> write)
    {
        var writer = new CanonicalWriter();
        write(writer);
        return writer.ToArray();
    }

    /// <summary>The head of an array of up to 65,535 items, for who joins items that are canonical already.</summary>
    internal static byte[] ArrayHeader(int count) => count switch
    {
        < 24 => [(byte)(0x80 | count)],
        < 256 => [0x98, (byte)count],
        _ => [0x99, checked((byte)(count >> 8)), (byte)(count & 0xFF)],
    };

    /// <summary>Decodes one value of at most <paramref name="maxBytes"/> bytes with nothing after it.</summary>
    /// <param name="bytes">The bytes as received.</param>
    /// <param name="maxBytes">The limit, checked first.</param>
    /// <param name="parse">Reads the value; may call <see cref="CanonicalReader.Fail"/>.</param>
    /// <param name="value">The value, when true is returned.</param>
    /// <param name="error">The reason, when false is returned.</param>
    public static bool TryDecode<T>(
        ReadOnlyMemory<byte> bytes, int maxBytes, Func<CanonicalReader, T> parse, [MaybeNullWhen(false)] out T value, out DecodeError error)
    {
        value = default;
        error = default;
        if (bytes.Length > maxBytes)
        {
            error = new(Reason.TooLarge, $"more than {maxBytes} bytes");
            return false;
        }

        try
        {
            var reader = new CanonicalReader(bytes);
            value = parse(reader);
            reader.EnsureEnd();
            return true;
        }
        catch (DecodeException refused)
        {
            error = refused.Error;
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException)
        {
            // System.Formats.Cbor reports content errors, type mismatches and ranges in these three ways.
            error = new(Reason.Malformed, "not the deterministic CBOR expected here");
        }

        return false;
    }

    /// <summary>Decodes the first value, of at most <paramref name="maxBytes"/> bytes, when other bytes follow it.</summary>
    /// <param name="bytes">The value and what follows it.</param>
    /// <param name="maxBytes">The limit of the value.</param>
    /// <param name="parse">Reads the value; may call <see cref="CanonicalReader.Fail"/>.</param>
    /// <param name="value">The value, when true is returned.</param>
    /// <param name="length">The value's bytes, when true is returned.</param>
    /// <param name="error">The reason, when false is returned.</param>
    public static bool TryDecodeFirst<T>(
        ReadOnlyMemory<byte> bytes, int maxBytes, Func<CanonicalReader, T> parse, [MaybeNullWhen(false)] out T value, out int length, out DecodeError error)
    {
        var window = bytes[..Math.Min(bytes.Length, maxBytes)];
        var decoded = TryDecode(
            window,
            maxBytes,
            reader =>
            {
                var first = parse(reader);
                return (Value: first, Length: window.Length - reader.AllowRest());
            },
            out var found,
            out error);
        (value, length) = found;
        return decoded;
    }
}
