using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>The dotted names that a file's code mentions: using directives, qualified types, member accesses. Comments do not count.</summary>
public static class NamesUsed
{
    /// <summary>Each name as written, without <c>global::</c>, the longest form only.</summary>
    public static IEnumerable<(string Name, SyntaxNode Node)> In(SourceText file) =>
        from node in file.Root.DescendantNodes()
        where node is NameSyntax or MemberAccessExpressionSyntax && !IsInsideLonger(node) && !IsDeclaredName(node)
        let name = Dotted(node)
        where name.Length > 0
        select (name, node);

    /// <summary>True when a name is the namespace or something inside it.</summary>
    public static bool IsWithin(string name, string ofNamespace) =>
        name.StartsWith(ofNamespace, StringComparison.Ordinal) && (name.Length == ofNamespace.Length || name[ofNamespace.Length] == '.');

    private static bool IsInsideLonger(SyntaxNode node) => node.Parent is QualifiedNameSyntax or AliasQualifiedNameSyntax
        || (node.Parent is MemberAccessExpressionSyntax access && Dotted(access).Length > 0);

    private static bool IsDeclaredName(SyntaxNode node) => node.Parent is BaseNamespaceDeclarationSyntax or NameEqualsSyntax;

    private static string Dotted(SyntaxNode node) => node switch
    {
        SimpleNameSyntax simple => simple.Identifier.ValueText,
        AliasQualifiedNameSyntax alias => Dotted(alias.Name),
        QualifiedNameSyntax qualified => $"{Dotted(qualified.Left)}.{Dotted(qualified.Right)}",
        MemberAccessExpressionSyntax { Expression: NameSyntax or MemberAccessExpressionSyntax } access when Dotted(access.Expression) is { Length: > 0 } left
            => $"{left}.{access.Name.Identifier.ValueText}",
        _ => string.Empty,
    };
}
