using System.Text.RegularExpressions;
using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>What must not be left lying about: promises, holes, tests that are off, traces of one machine.</summary>
public static class LooseEnds
{
    private static readonly Regex Promise = Pattern(@"\b(TODO|FIXME|HACK|NotImplementedException)\b");

    private static readonly Regex MachinePath = Pattern(@"(?<![\w.~}$-])/(work|root|tmp|home|Users)/[\w$-]");

    /// <summary>Promises to finish later. An open end belongs into an issue; code that is missing is not called.</summary>
    public static IEnumerable<string> Promises(IEnumerable<SourceText> files) => Find(files, Promise, "no promises in files");

    /// <summary>Paths that exist on one machine only.</summary>
    public static IEnumerable<string> MachinePaths(IEnumerable<SourceText> files) => Find(files, MachinePath, "no paths of one machine");

    /// <summary>Tests that are skipped without saying why.</summary>
    public static IEnumerable<string> SkippedWithoutReason(IEnumerable<SourceText> code) =>
        from file in code
        where file.Area is "tests"
        from node in file.Root.DescendantNodes()
        let reason = node switch
        {
            AttributeArgumentSyntax { NameEquals.Name.Identifier.ValueText: "Skip" } argument => argument.Expression,
            InvocationExpressionSyntax { ArgumentList.Arguments.Count: > 0 } call when call.Expression.ToString() is "Assert.Skip" or "Assert.SkipWhen" or "Assert.SkipUnless"
                => call.ArgumentList.Arguments[^1].Expression,
            _ => null,
        }
        where reason is LiteralExpressionSyntax literal && (!literal.IsKind(SyntaxKind.StringLiteralExpression) || literal.Token.ValueText.Trim().Length < 10)
        select $"{file.At(node)}: a skipped test says why";

    private static IEnumerable<string> Find(IEnumerable<SourceText> files, Regex pattern, string rule) =>
        from file in files
        from line in file.Lines()
        let match = pattern.Match(line.Line)
        where match.Success
        select $"{file.Path}:{line.Number}: {rule}: {match.Value}";

    private static Regex Pattern(string pattern) =>
        new(pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
}
