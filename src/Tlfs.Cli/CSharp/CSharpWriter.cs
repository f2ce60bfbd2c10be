using System.Text;

namespace Tlfs.Cli.CSharp;

/// <summary>Collects lines of source, indented by braces.</summary>
internal sealed class CSharpWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>A line; none of the text is changed. Without text, an empty line.</summary>
    public void Line(string text = "")
    {
        if (text.Length > 0) _text.Append(' ', 4 * _depth).Append(text);
        _text.Append('\n');
    }

    /// <summary>Lines between braces.</summary>
    public void Block(Action body, string end = "}")
    {
        Line("{");
        _depth++;
        body();
        _depth--;
        Line(end);
    }

    /// <summary>A documentation comment in one sentence; the text is XML.</summary>
    public void Summary(string xml) => Line($"/// <summary>{xml}</summary>");

    /// <summary>Text between tags of documentation.</summary>
    public static string Code(string text) =>
        $"<c>{text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)}</c>";

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
