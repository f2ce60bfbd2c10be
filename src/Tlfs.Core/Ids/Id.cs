namespace Tlfs.Core.Ids;

/// <summary>A 32-byte identifier with a text prefix (docs/protocol/encoding.md §2).</summary>
/// <typeparam name="TSelf">The identifier's own type.</typeparam>
public interface IId<TSelf> : IComparable<TSelf>
    where TSelf : struct, IId<TSelf>
{
    /// <summary>The prefix of the text form, such as <c>doc_</c>.</summary>
    static abstract string Prefix { get; }

    /// <summary>Makes the identifier from its bytes.</summary>
    static abstract TSelf From(Bytes32 value);

    /// <summary>The identifier's bytes.</summary>
    Bytes32 Value { get; }
}

/// <summary>Formats and parses identifiers.</summary>
public static class Id
{
    /// <summary>Prefix and base32, for example <c>doc_</c> and 52 letters.</summary>
    public static string Format<T>(T id)
        where T : struct, IId<T> => T.Prefix + Base32.Encode(id.Value.ToArray());

    /// <summary>Reads the text form; false for anything but the one canonical text.</summary>
    public static bool TryParse<T>(string? text, out T id)
        where T : struct, IId<T>
    {
        id = default;
        if (text is null || !text.StartsWith(T.Prefix, StringComparison.Ordinal)) return false;
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        if (!Base32.TryDecode(text.AsSpan(T.Prefix.Length), bytes)) return false;
        id = T.From(new Bytes32(bytes));
        return true;
    }

    /// <summary>Makes an identifier from exactly 32 bytes.</summary>
    public static T From<T>(ReadOnlySpan<byte> bytes)
        where T : struct, IId<T> => T.From(new Bytes32(bytes));
}
