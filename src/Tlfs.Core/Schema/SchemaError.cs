using System.Globalization;

namespace Tlfs.Core.Schema;

/// <summary>Why a <c>.tlfs</c> source does not compile, and where.</summary>
/// <param name="File">The file's name as the caller gave it.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The UTF-16 code unit in the line, from 1.</param>
/// <param name="SourceLine">The text of the line, at most 200 code units of it.</param>
/// <param name="Text">What is wrong, one sentence.</param>
/// <param name="Suggestion">What to write instead, or null.</param>
public sealed record SchemaError(string File, int Line, int Column, string SourceLine, string Text, string? Suggestion)
{
    /// <summary>One line, <c>file:line:column: text; suggestion</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{File}:{Line}:{Column}: {Text}{(Suggestion is null ? "" : "; " + Suggestion)}");
}

/// <summary>Ends a compilation; caught in <see cref="TlfsPackage.TryCompile"/> and nowhere else.</summary>
internal sealed class SchemaErrorException(int offset, string text, string? suggestion) : Exception(text)
{
    public int Offset { get; } = offset;

    public string? Suggestion { get; } = suggestion;
}
