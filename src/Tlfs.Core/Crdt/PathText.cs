using System.Globalization;
using System.Text.Json;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Crdt;

/// <summary>A step of a path that a person wrote: a field's name, or what stands between brackets.</summary>
/// <param name="Name">The field's name, or null.</param>
/// <param name="Key">The text between the brackets: the content of a string, else an integer, <c>true</c> or <c>false</c>.</param>
/// <param name="Quoted">True if the key was written as a string.</param>
/// <param name="End">Where the step ends in the text.</param>
internal readonly record struct PathStep(string? Name, string Key, bool Quoted, int End);

/// <summary>
/// Reads paths such as <c>.todos[0].title</c> and <c>.people["Ann B."].name</c>; <c>.</c> is the root. Keys are JSON strings, integers, true or false;
/// <c>.[0]</c>, as in a schema's path, means the same as <c>[0]</c>.
/// </summary>
internal sealed class PathText
{
    private readonly string _text;
    private readonly List<PathStep> _steps = [];
    private int _at;

    private PathText(string text) => _text = text;

    /// <summary>The steps of a path; text that is not one is a <see cref="TlfsException"/> with <see cref="Reason.PathSyntax"/> and the column.</summary>
    public static IReadOnlyList<PathStep> Parse(string text)
    {
        if (text.Length > Limits.PathBytes * 8) throw new TlfsException(Reason.TooLarge, "the path is too long");
        return new PathText(text).Parse();
    }

    /// <summary>The text of the last part of a path: a field's name after a dot.</summary>
    public static string Below(string path, string field) => path is "." ? "." + field : $"{path}.{field}";

    /// <summary>The text of a row or element; the key is JSON.</summary>
    public static string Row(string path, string key) => $"{path}[{key}]";

    private List<PathStep> Parse()
    {
        if (Peek() != '.') throw Wrong("a path begins with a dot");
        if (_text.Length == 1) return _steps;
        while (_at < _text.Length)
        {
            if (_steps.Count == Limits.PathSegments) throw Wrong($"a path has at most {Limits.PathSegments} steps");
            if (Peek() == '.') _at++;
            else if (Peek() != '[') throw Wrong("a dot or '[' is expected");
            _steps.Add(Peek() == '[' ? Key() : Name());
        }

        return _steps;
    }

    private PathStep Name()
    {
        var start = _at;
        while (_at < _text.Length && Names.IsPart(_text[_at])) _at++;
        var name = _text[start.._at];
        if (Names.IsValid(name)) return new(name, "", false, _at);
        _at = start;
        throw Wrong("a field's name is expected");
    }

    private PathStep Key()
    {
        _at++;
        var quoted = Peek() == '"';
        var key = quoted ? String() : Word();
        if (Peek() != ']') throw Wrong("']' is expected");
        _at++;
        return new(null, key, quoted, _at);
    }

    private string Word()
    {
        var start = _at;
        if (Peek() == '-') _at++;
        while (_at < _text.Length && char.IsAsciiLetterOrDigit(_text[_at])) _at++;
        var word = _text[start.._at];
        if (word is "true" or "false" || Numbers.IsInteger(word)) return word;
        _at = start;
        throw Wrong("a key is a string in quotes, an integer, true or false");
    }

    private string String()
    {
        var start = _at++;
        while (_at < _text.Length && _text[_at] != '"') _at += _text[_at] == '\\' ? 2 : 1;
        if (_at >= _text.Length) throw WrongAt(start, "the string does not end");
        _at++;
        try
        {
            var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(_text[start.._at]));
            if (reader.Read() && reader.TokenType == JsonTokenType.String && reader.GetString() is { } key) return key;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader reports bad escapes and lone surrogates in these two ways.
        }

        throw WrongAt(start, "the string is not JSON");
    }

    private char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private TlfsException Wrong(string what) => WrongAt(_at, what);

    private static TlfsException WrongAt(int at, string what) =>
        new(Reason.PathSyntax, string.Create(CultureInfo.InvariantCulture, $"path, column {at + 1}: {what}"));
}

/// <summary>Integers as JSON and keys write them.</summary>
internal static class Numbers
{
    /// <summary>True for decimal digits without leading zeros, with or without a minus sign.</summary>
    public static bool IsInteger(string text)
    {
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9')) return false;
        return digits.Length == 1 || digits[0] != '0';
    }
}
