using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class BannedApisTests
{
    private const string Analyser =
        "<PackageReference Include=\"Microsoft.CodeAnalysis.BannedApiAnalyzers\" /><AdditionalFiles Include=\"BannedSymbols.txt\" />";

    private static IEnumerable<SourceText> BuildFiles =>
        Repository.Files.Where(file => Path.GetExtension(file.Path) is ".csproj" or ".props" or ".targets");

    [Fact]
    public void The_list_names_the_key_symbols() => Expect.None(BannedApis.Unlisted(Repository.Find("BannedSymbols.txt")));

    [Fact]
    public void No_project_escapes_the_analyser() => Expect.None(BannedApis.Escapes([.. BuildFiles]));

    [Fact]
    public void Nothing_switches_the_rule_off() => Expect.None(BannedApis.Suppressions(Repository.Files.Where(Own.IsNot)));

    [Fact]
    public void No_test_waits_for_the_clock() => Expect.None(BannedApis.TestsThatSleep(Repository.Code));

    [Fact]
    public void A_missing_symbol_is_found()
    {
        var listed = Repository.Find("BannedSymbols.txt");
        var shortened = listed with { Text = listed.Text.Replace("P:System.DateTime.Now;", "P:System.DateTime.Then;", StringComparison.Ordinal) };

        Expect.One(BannedApis.Unlisted(shortened), "P:System.DateTime.Now is missing");
    }

    [Theory]
    [InlineData("Directory.Build.props", "<ItemGroup />", "every project needs")]
    [InlineData("tests/Directory.Build.props", "<ItemGroup />", "hides the settings")]
    [InlineData("src/A/A.csproj", "<PropertyGroup><NoWarn>RS0030</NoWarn></PropertyGroup>", "NoWarn")]
    [InlineData("src/A/A.csproj", "<PropertyGroup><TreatWarningsAsErrors>false</TreatWarningsAsErrors></PropertyGroup>", "TreatWarningsAsErrors")]
    [InlineData("src/A/A.csproj", "<ItemGroup><AdditionalFiles Remove=\"x\" /></ItemGroup>", "AdditionalFiles")]
    public void A_way_around_the_analyser_is_found(string path, string content, string message) =>
        Expect.One(BannedApis.Escapes([new(path, $"<Project>{content}</Project>")]), message);

    [Fact]
    public void The_analyser_for_everybody_is_fine() =>
        Expect.None(BannedApis.Escapes([new("Directory.Build.props", $"<Project><ItemGroup>{Analyser}</ItemGroup></Project>")]));

    [Theory]
    [InlineData("#pragma warning disable RS0030")]
    [InlineData("  #pragma warning disable CA1000, RS0030 // because")]
    [InlineData("#pragma warning disable")]
    [InlineData("[SuppressMessage(\"ApiDesign\", \"RS0030\")]")]
    [InlineData("dotnet_diagnostic.RS0030.severity = none")]
    public void A_suppression_is_found(string line) => Expect.One(BannedApis.Suppressions([new("src/A/A.cs", line)]), "hides RS0030");

    [Theory]
    [InlineData("#pragma warning disable CA1000")]
    [InlineData("dotnet_diagnostic.RS0030.severity = error")]
    public void Other_suppressions_are_not_this_rules_business(string line) => Expect.None(BannedApis.Suppressions([new("src/A/A.cs", line)]));

    [Theory]
    [InlineData("await Task.Delay(100);")]
    [InlineData("await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancel);")]
    public void A_test_that_sleeps_is_found(string statement) => Expect.One(BannedApis.TestsThatSleep([new("tests/A/A.cs", statement)]), "wait for the event");

    [Fact]
    public void A_test_may_let_its_own_clock_run() => Expect.None(BannedApis.TestsThatSleep([new("tests/A/A.cs", "await Task.Delay(second, clock, cancel);")]));
}
