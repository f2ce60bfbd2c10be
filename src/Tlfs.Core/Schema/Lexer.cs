namespace Tlfs.Core.Schema;

/// <summary>Cuts a <c>.tlfs</c> source into tokens. Blanks and <c>/* comments */</c> separate tokens and mean nothing else.</summary>
internal sealed class Lexer(string source)
{
    private const string Marks = ".:{}[]()<>";
    private int _at;

    public Token Next()
    {
        SkipBlanks();
        var start = _at;
        if (start == source.Length) return new(TokenKind.End, "", start);
        var first = source[start];
        if (Lenses.Names.IsStart(first)) return Take(TokenKind.Name, Lenses.Names.IsPart);
        if (char.IsAsciiDigit(first)) return Take(TokenKind.Number, letter => Lenses.Names.IsPart(letter) || letter == '.');
        if (!Marks.Contains(first, StringComparison.Ordinal)) throw new SchemaErrorException(start, $"unexpected character {Describe(first)}", Hints.ForCharacter(first));
        _at++;
        return new(TokenKind.Mark, source[start.._at], start);
    }

    private Token Take(TokenKind kind, Func<char, bool> belongs)
    {
        var start = _at;
        while (_at < source.Length && belongs(source[_at])) _at++;
        return new(kind, source[start.._at], start);
    }

    private void SkipBlanks()
    {
        while (_at < source.Length)
        {
            if (source[_at] is ' ' or '\t' or '\r' or '\n' || (_at == 0 && source[0] == '\uFEFF')) _at++;
            else if (source[_at] == '/') SkipComment();
            else return;
        }
    }

    private void SkipComment()
    {
        if (!source.AsSpan(_at).StartsWith("/*", StringComparison.Ordinal))
            throw new SchemaErrorException(_at, "unexpected character '/'", "a comment is written /* like this */");
        var end = source.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        if (end < 0) throw new SchemaErrorException(_at, "the comment does not end", "close it with */");
        _at = end + 2;
    }

    private static string Describe(char letter) => letter is > ' ' and < '\x7F' ? $"'{letter}'" : $"U+{(int)letter:X4}";
}
