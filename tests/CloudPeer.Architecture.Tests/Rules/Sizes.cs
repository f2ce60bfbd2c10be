using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>Aim for methods up to 30 lines and files up to 300; past these limits nobody finds the way any more.</summary>
public static class Sizes
{
    public const int FileLines = 600;
    public const int MethodLines = 70;

    /// <summary>Files and methods that are too long.</summary>
    public static IEnumerable<string> TooLong(IEnumerable<SourceText> code) =>
        code.SelectMany(file => TooLongFile(file).Concat(TooLongMethods(file)));

    private static IEnumerable<string> TooLongFile(SourceText file) =>
        file.LineCount > FileLines ? [$"{file.Path}: {file.LineCount} lines, the limit for a file is {FileLines}"] : [];

    private static IEnumerable<string> TooLongMethods(SourceText file) =>
        from node in file.Root.DescendantNodesAndSelf()
        let lines = MethodLinesOf(node)
        where lines > MethodLines
        select $"{file.At(node)}: {lines} lines, the limit for a method is {MethodLines}";

    private static int MethodLinesOf(SyntaxNode node) => node switch
    {
        BaseMethodDeclarationSyntax method => Lines(method, method.AttributeLists),
        LocalFunctionStatementSyntax function => Lines(function, function.AttributeLists),
        AccessorDeclarationSyntax accessor => Lines(accessor, accessor.AttributeLists),
        PropertyDeclarationSyntax { ExpressionBody: not null } property => Lines(property, property.AttributeLists),
        LambdaExpressionSyntax lambda => Lines(lambda, lambda.AttributeLists),
        AnonymousMethodExpressionSyntax method => Lines(method, []),
        CompilationUnitSyntax unit => unit.Members.OfType<GlobalStatementSyntax>().Where(IsNotLocalFunction).Sum(statement => Lines(statement, [])),
        _ => 0,
    };

    private static bool IsNotLocalFunction(GlobalStatementSyntax statement) => !statement.Statement.IsKind(SyntaxKind.LocalFunctionStatement);

    // Attributes do not count: a theory may have many rows. Neither does the comment above, which is no part of the span.
    private static int Lines(SyntaxNode node, SyntaxList<AttributeListSyntax> attributes)
    {
        var tree = node.SyntaxTree;
        var first = attributes.Count > 0 ? attributes[^1].GetLastToken().GetNextToken().SpanStart : node.SpanStart;
        return tree.GetLineSpan(node.Span).EndLinePosition.Line - tree.GetText().Lines.GetLinePosition(first).Line + 1;
    }
}
