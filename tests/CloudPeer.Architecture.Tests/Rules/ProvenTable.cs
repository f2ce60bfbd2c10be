using System.Text.RegularExpressions;
using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>Each row of a page's table names tests that exist in its last column, or says that nothing is promised or that it comes later.</summary>
public static class ProvenTable
{
    private static readonly Regex Name = new(@"`(?<name>[^`]+)`", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));

    /// <summary>Names of the table's last column that no test has, and rows that neither name a test nor say why not.</summary>
    public static IEnumerable<string> Unproven(SourceText page, IEnumerable<SourceText> code)
    {
        var tests = code.Where(file => file.Area is "tests").SelectMany(file => file.Root.DescendantNodes()).OfType<MethodDeclarationSyntax>()
            .Where(IsTest).Select(method => $"{(method.Parent as TypeDeclarationSyntax)?.Identifier.ValueText}.{method.Identifier.ValueText}").ToHashSet(StringComparer.Ordinal);
        foreach (var line in page.Lines().Where(line => line.Line.StartsWith('|') && !line.Line.StartsWith("| ---", StringComparison.Ordinal)).Skip(1))
        {
            var cell = line.Line.TrimEnd('|', ' ').Split('|')[^1];
            var names = Name.Matches(cell).Select(match => match.Groups["name"].Value).ToList();
            if (names.Count == 0 && cell.Trim() is not ("later" or "not promised")) yield return $"{page.Path}:{line.Number}: the row names no test";
            foreach (var name in names.Where(name => !Exists(name, tests))) yield return $"{page.Path}:{line.Number}: there is no test {name}";
        }
    }

    // Class.Method, Method, or the beginning of a method's name followed by a star.
    private static bool Exists(string name, HashSet<string> tests) =>
        name.EndsWith('*') ? tests.Any(test => test[(test.IndexOf('.', StringComparison.Ordinal) + 1)..].StartsWith(name[..^1], StringComparison.Ordinal))
        : name.Contains('.', StringComparison.Ordinal) ? tests.Contains(name)
        : tests.Any(test => test.EndsWith("." + name, StringComparison.Ordinal));

    private static bool IsTest(MethodDeclarationSyntax method) =>
        method.AttributeLists.SelectMany(list => list.Attributes).Any(attribute => attribute.Name.ToString() is "Fact" or "Theory");
}
