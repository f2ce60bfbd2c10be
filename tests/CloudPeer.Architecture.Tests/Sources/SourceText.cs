using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace CloudPeer.Architecture.Tests.Sources;

/// <summary>One text file of the repository, or an example of one.</summary>
/// <param name="Path">From the repository's root, with <c>/</c>: <c>src/Tlfs.Core/Ids/DocId.cs</c>.</param>
/// <param name="Text">Its content.</param>
public sealed record SourceText(string Path, string Text)
{
    private SyntaxNode? _root;

    public bool IsCode => Path.EndsWith(".cs", StringComparison.Ordinal);

    /// <summary>The first folder: <c>src</c>, <c>tests</c>, <c>bench</c> or <c>samples</c>; the file's own name for a file of the root.</summary>
    public string Area => Part(0);

    /// <summary>The second folder, which for code is the project's name.</summary>
    public string Project => Part(1);

    /// <summary>The folder directly below the project, or an empty text for a file that lies in the project's own folder.</summary>
    public string Folder => Path.Count(character => character == '/') > 2 ? Part(2) : string.Empty;

    /// <summary>The parsed file.</summary>
    public SyntaxNode Root => _root ??= CSharpSyntaxTree.ParseText(Text, new CSharpParseOptions(LanguageVersion.Preview), Path).GetRoot();

    /// <summary>Lines as a reader counts them: a final newline adds none.</summary>
    public int LineCount => Text.Length == 0 ? 0 : Text.TrimEnd('\n').Count(character => character == '\n') + 1;

    /// <summary>Path and line for a message, clickable in most terminals.</summary>
    public string At(SyntaxNode node) => $"{Path}:{node.SyntaxTree.GetLineSpan(node.Span).StartLinePosition.Line + 1}";

    /// <summary>The lines with their numbers, counted from 1.</summary>
    public IEnumerable<(int Number, string Line)> Lines() => Text.Split('\n').Select((line, index) => (index + 1, line));

    private string Part(int index) => Path.Split('/').ElementAtOrDefault(index) ?? string.Empty;
}
