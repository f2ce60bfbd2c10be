using System.Text.RegularExpressions;
using System.Xml.Linq;
using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>
/// The analyser RS0030 fails the build over a banned API (see <c>BannedSymbols.txt</c>); these rules see to it that it keeps
/// watching everywhere, and cover what a list of symbols cannot say.
/// </summary>
public static class BannedApis
{
    private const string Rule = "RS0030";

    /// <summary>Symbols without which the list would have lost its point.</summary>
    private static readonly string[] Needed =
    [
        "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.Now", "P:System.DateTimeOffset.UtcNow", "T:System.Random",
        "M:System.Threading.Thread.Sleep(System.Int32)", "M:System.Threading.Thread.Sleep(System.TimeSpan)",
        "M:System.Threading.Tasks.Task.Delay(System.Int32)", "M:System.Threading.Tasks.Task.Delay(System.TimeSpan)",
        "M:System.Threading.Tasks.Task.Delay(System.Int32,System.Threading.CancellationToken)",
        "M:System.Threading.Tasks.Task.Delay(System.TimeSpan,System.Threading.CancellationToken)", "M:System.Guid.NewGuid",
    ];

    /// <summary>Files that may switch the rule off for some lines, and why.</summary>
    private static readonly Dictionary<string, string> MaySuppress = new(StringComparer.Ordinal);

    private static readonly Regex Suppression = new(
        $@"#pragma\s+warning\s+disable\b(?!.*\brestore\b)(?:\s*$|.*\b{Rule}\b)|SuppressMessage\b.*{Rule}|{Rule}\.severity\s*=\s*(?!error)\w+",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(5));

    /// <summary>Key symbols that <c>BannedSymbols.txt</c> does not name.</summary>
    public static IEnumerable<string> Unlisted(SourceText bannedSymbols)
    {
        var listed = bannedSymbols.Text.Split('\n').Select(line => line.Split(';')[0].Trim()).ToHashSet(StringComparer.Ordinal);
        return Needed.Where(symbol => !listed.Contains(symbol)).Select(symbol => $"{bannedSymbols.Path}: {symbol} is missing");
    }

    /// <summary>Build files through which a project would escape the analyser.</summary>
    /// <param name="buildFiles">All <c>Directory.Build.*</c> files and project files.</param>
    public static IEnumerable<string> Escapes(IReadOnlyCollection<SourceText> buildFiles)
    {
        foreach (var file in buildFiles)
        {
            var document = XDocument.Parse(file.Text);
            if (string.Equals(file.Path, "Directory.Build.props", StringComparison.Ordinal) && !BringsAnalyser(document))
                yield return $"{file.Path}: every project needs the package Microsoft.CodeAnalysis.BannedApiAnalyzers and BannedSymbols.txt as an additional file";
            if (file.Path.EndsWith("/Directory.Build.props", StringComparison.Ordinal) && !document.Descendants("Import").Any())
                yield return $"{file.Path}: hides the settings of the folder above instead of importing them";
            foreach (var element in document.Descendants().Where(Weakens))
                yield return $"{file.Path}: <{element.Name.LocalName}> weakens the build: {element}";
        }
    }

    /// <summary>Places that switch the rule off.</summary>
    public static IEnumerable<string> Suppressions(IEnumerable<SourceText> files) =>
        from file in files
        where !MaySuppress.ContainsKey(file.Path)
        from line in file.Lines()
        where Suppression.IsMatch(line.Line)
        select $"{file.Path}:{line.Number}: hides {Rule}";

    /// <summary>Tests that wait for the clock: <c>Task.Delay</c> is only good with a time provider of the test's own.</summary>
    public static IEnumerable<string> TestsThatSleep(IEnumerable<SourceText> code) =>
        from file in code
        where file.Area is "tests"
        from call in file.Root.DescendantNodes().OfType<InvocationExpressionSyntax>()
        where call.Expression.ToString() is "Task.Delay" or "System.Threading.Tasks.Task.Delay"
        where call.ArgumentList.Arguments.Count < 2 || call.ArgumentList.Arguments.Any(argument => argument.ToString().Contains("TimeProvider.System", StringComparison.Ordinal))
        select $"{file.At(call)}: wait for the event, not for the clock";

    private static bool BringsAnalyser(XDocument document) =>
        document.Descendants("PackageReference").Any(element => (string?)element.Attribute("Include") is "Microsoft.CodeAnalysis.BannedApiAnalyzers")
        && document.Descendants("AdditionalFiles").Any(element => ((string?)element.Attribute("Include"))?.EndsWith("BannedSymbols.txt", StringComparison.Ordinal) == true);

    private static bool Weakens(XElement element) => element.Name.LocalName switch
    {
        "NoWarn" or "WarningsNotAsErrors" => element.Value.Contains(Rule, StringComparison.Ordinal),
        "TreatWarningsAsErrors" or "RunAnalyzers" or "RunAnalyzersDuringBuild" or "EnforceCodeStyleInBuild" => element.Value.Trim() is not "true",
        "PackageReference" or "AdditionalFiles" or "Analyzer" => element.Attribute("Remove") is not null,
        _ => false,
    };
}
