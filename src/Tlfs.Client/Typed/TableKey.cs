using System.Globalization;

namespace Tlfs.Client.Typed;

/// <summary>How keys of a table are written, in JSON and in paths.</summary>
/// <typeparam name="T">The keys' type.</typeparam>
public sealed class TableKey<T>
    where T : notnull
{
    private readonly Func<T, string> _text;
    private readonly Func<string, T> _parse;
    private readonly bool _quoted;

    internal TableKey(Func<T, string> text, Func<string, T> parse, bool quoted)
    {
        _text = text;
        _parse = parse;
        _quoted = quoted;
    }

    /// <summary>The key as the name of a JSON member.</summary>
    internal string Text(T key) => _text(key);

    /// <summary>The key of a JSON member.</summary>
    internal T Parse(string text) => _parse(text);

    /// <summary>The key between the brackets of a path.</summary>
    internal string PathText(T key) => _quoted ? TypedPlace.Json(json => json.WriteStringValue(Text(key))).GetRawText() : Text(key);
}

/// <summary>The keys that tables may have, for generated code.</summary>
public static class TableKeys
{
    /// <summary>Keys of a <c>Table&lt;bool&gt;</c>.</summary>
    public static TableKey<bool> Bool { get; } = new(key => key ? "true" : "false", text => text is "true", quoted: false);

    /// <summary>Keys of a <c>Table&lt;u64&gt;</c>.</summary>
    public static TableKey<ulong> U64 { get; } = new(
        key => key.ToString(CultureInfo.InvariantCulture), text => ulong.Parse(text, CultureInfo.InvariantCulture), quoted: false);

    /// <summary>Keys of a <c>Table&lt;i64&gt;</c>.</summary>
    public static TableKey<long> I64 { get; } = new(
        key => key.ToString(CultureInfo.InvariantCulture), text => long.Parse(text, CultureInfo.InvariantCulture), quoted: false);

    /// <summary>Keys of a <c>Table&lt;String&gt;</c>.</summary>
    public static TableKey<string> String { get; } = new(Primitives.Unicode, text => text, quoted: true);

    /// <summary>Keys of a <c>Table&lt;Bytes&gt;</c>.</summary>
    public static TableKey<Bytes> Bytes { get; } = new(key => Convert.ToBase64String(key.Span), text => Convert.FromBase64String(text), quoted: true);
}
