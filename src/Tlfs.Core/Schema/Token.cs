namespace Tlfs.Core.Schema;

/// <summary>What a token of a <c>.tlfs</c> source is.</summary>
internal enum TokenKind
{
    /// <summary>The end of the source.</summary>
    End,
    /// <summary>A name.</summary>
    Name,
    /// <summary>Digits and dots that begin with a digit.</summary>
    Number,
    /// <summary>One of <c>. : { } [ ] ( ) &lt; &gt;</c>.</summary>
    Mark,
}

/// <summary>A token and its place in the source.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Offset)
{
    public int End => Offset + Text.Length;

    public bool Is(char mark) => Kind == TokenKind.Mark && Text[0] == mark;

    /// <summary>The token in a message.</summary>
    public string Quoted => Kind == TokenKind.End ? "the end of the file" : Text.Length <= 80 ? $"'{Text}'" : $"'{Text[..80]}…'";
}
